import type { FateSettings } from './fate.ts'

/**
 * The plan of a batch: what a process commits with offset = first before it inserts anything, so that whoever comes after
 * it finishes exactly this range with exactly these fates (the exactly-once contract, ARCHITECTURE.md).
 *
 * It carries every setting that can change a fate, not a hash of them: a process with other settings can then finish the
 * plan under the plan's own, and where it can't (a taxonomy or schema it does not have) it can say which.
 * Kafka keeps at most 4,096 characters of it; a plan takes about 200.
 */
export interface Plan {
  readonly topicId: string
  readonly first: number
  readonly last: number
  readonly taxonomyVersion: number
  /** First 16 hex digits of the SHA-256 of the taxonomy's canonical JSON. */
  readonly taxonomyHash: string
  readonly fates: FateSettings
  /** Writer schemas that the batch's accepted or field-checked events were read with: id -> fingerprint. Any other id is unknown to this batch. */
  readonly schemas: Readonly<Record<string, string>>
}

/** Writer schemas one batch may mix; the next unseen one starts a new batch. Keeps the plan far below Kafka's 4,096 characters. */
export const schemasPerBatchMax = 16

export function encodePlan(plan: Plan): string {
  const { duplicateWindowOffsets, futureToleranceMs, ageMaxMs, eventBytesMax } = plan.fates
  return JSON.stringify({
    v: 1,
    topic: plan.topicId,
    first: plan.first,
    last: plan.last,
    taxonomy: [plan.taxonomyVersion, plan.taxonomyHash],
    fates: [duplicateWindowOffsets, futureToleranceMs, ageMaxMs, eventBytesMax],
    schemas: plan.schemas,
  })
}

/**
 * Reads a plan back. Returns undefined for empty metadata (no plan); throws an Error that says what is wrong with any other
 * text, because an unreadable plan must never be taken for none.
 */
export function decodePlan(metadata: string | null | undefined): Plan | undefined {
  if (metadata === null || metadata === undefined || metadata === '') {
    return undefined
  }
  const raw = parseJson(metadata)
  const { taxonomy, fates, schemas } = raw
  if (
    raw['v'] !== 1 ||
    typeof raw['topic'] !== 'string' ||
    !isOffset(raw['first']) ||
    !isOffset(raw['last']) ||
    raw['last'] < raw['first'] ||
    !Array.isArray(taxonomy) ||
    !isOffset(taxonomy[0]) ||
    typeof taxonomy[1] !== 'string' ||
    !Array.isArray(fates) ||
    fates.length !== 4 ||
    !fates.every(isOffset) ||
    !isTextRecord(schemas)
  ) {
    throw new Error(`the committed metadata is not a plan of version 1: ${metadata.slice(0, 200)}`)
  }
  const [duplicateWindowOffsets, futureToleranceMs, ageMaxMs, eventBytesMax] = fates as [number, number, number, number]
  return {
    topicId: raw['topic'],
    first: raw['first'],
    last: raw['last'],
    taxonomyVersion: taxonomy[0],
    taxonomyHash: taxonomy[1],
    fates: { duplicateWindowOffsets, futureToleranceMs, ageMaxMs, eventBytesMax },
    schemas,
  }
}

/** The deduplication token of a batch: the topic's id keeps a re-created topic from colliding with the old one. */
export function batchToken(batch: { topicId: string; partition: number; first: number; last: number }): string {
  return `${batch.topicId}/${batch.partition}/${batch.first}-${batch.last}`
}

function parseJson(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch (thrown) {
    throw new Error(`the committed metadata is not JSON: ${text.slice(0, 200)}`, { cause: thrown })
  }
}

function isOffset(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function isTextRecord(value: unknown): value is Record<string, string> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every((text) => typeof text === 'string')
  )
}
