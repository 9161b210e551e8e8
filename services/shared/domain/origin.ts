/** Where a message stood when it was rejected: what a copy of it is told apart by. */
export interface Origin {
  readonly topicId: string
  readonly partition: number
  readonly offset: number
}

/** Kafka header of a copy that `redrive` sent: its origin. */
export const originHeader = 'intent-ledger-redriven-from'

/** `topicId/partition/offset`. */
export function originText({ topicId, partition, offset }: Origin): string {
  return `${topicId}/${partition}/${offset}`
}
