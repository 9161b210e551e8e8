import { messageOf, PipelineError } from '../domain/faults.ts'
import { defaultPartitioner, kafkaFault, type Kafka } from './kafka.ts'

export interface TransactionMessage {
  readonly key: Buffer | null
  readonly value: Buffer
  /** Milliseconds since 1970-01-01 UTC. */
  readonly timestampMs: number
  readonly headers: Readonly<Record<string, string>>
}

/** Messages that stand in the log together or not at all. Whoever reads committed records sees them after `commit`. */
export interface LogTransaction {
  /** Sends to one partition; resolves with the offset of each message. */
  send(partition: number, messages: readonly TransactionMessage[]): Promise<number[]>
  commit(): Promise<void>
  abort(): Promise<void>
}

/**
 * A producer whose name only one may have at a time. Opening one fences the one before: what that had begun is aborted, what it
 * was committing is committed before `openTransactions` resolves, and nothing of it is ever committed after.
 */
export interface Transactions {
  begin(): Promise<LogTransaction>
  close(): Promise<void>
}

/** After it the broker aborts a transaction by itself. */
const transactionTimeoutMs = 60_000
/** Of one request: a topic may take no more than 1 MB at once. One message may be larger. */
const requestBytesMax = 512 * 1_024

/** A fault of code `producer_fenced` says that another has taken the name over, or that this one stood still for too long. */
export async function openTransactions(options: { kafka: Kafka; topic: string; name: string }): Promise<Transactions> {
  const { kafka, topic, name } = options
  const producer = kafka.producer({
    transactionalId: name,
    transactionTimeout: transactionTimeoutMs,
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner: defaultPartitioner,
    retry: { retries: 20, initialRetryTime: 100, maxRetryTime: 2_000 },
  })
  const asked = <T>(doing: string, work: () => Promise<T>) =>
    work().catch((thrown: unknown) => {
      throw isFenced(thrown)
        ? new PipelineError(`${doing}: ${messageOf(thrown)}`, { code: 'producer_fenced', cause: thrown })
        : kafkaFault(doing, thrown)
    })
  const begin = () => asked(`beginning a transaction as ${name}`, () => producer.transaction())
  try {
    await asked('connecting the producer', () => producer.connect())
    // kafkajs fences at the first transaction, not when it connects; an empty one asks the broker for nothing else.
    await (await begin()).commit()
  } catch (thrown) {
    await producer.disconnect()
    throw thrown
  }

  return {
    async begin() {
      const transaction = await begin()
      /** One partition a call, as in `createLogProducer`. */
      async function sendRequest(partition: number, messages: readonly TransactionMessage[]): Promise<number[]> {
        const answers = await transaction.send({
          topic,
          acks: -1,
          messages: messages.map(({ key, value, timestampMs, headers }) => ({
            ...{ partition, key, value, headers, timestamp: String(timestampMs) },
          })),
        })
        const base = Number(answers[0]?.baseOffset)
        if (answers.length !== 1 || !(base >= 0)) {
          throw new Error(`the client knows no partition ${partition}, so nothing was sent`)
        }
        return messages.map((_, index) => base + index)
      }
      return {
        send: (partition, messages) =>
          asked(`sending ${messages.length} messages to ${topic}/${partition}`, async () => {
            const offsets: number[] = []
            for (const request of requestsOf(messages)) {
              offsets.push(...(await sendRequest(partition, request)))
            }
            return offsets
          }),
        commit: () => asked(`committing to ${topic}`, () => transaction.commit()),
        abort: () => asked(`aborting a transaction on ${topic}`, () => transaction.abort()),
      }
    },
    close: () => producer.disconnect(),
  }
}

function requestsOf(messages: readonly TransactionMessage[]): TransactionMessage[][] {
  const requests: TransactionMessage[][] = []
  let bytes = Infinity
  for (const message of messages) {
    bytes += message.value.length
    if (bytes > requestBytesMax) {
      requests.push([])
      bytes = message.value.length
    }
    requests.at(-1)!.push(message)
  }
  return requests
}

/** https://kafka.apache.org/protocol#protocol_error_codes 47, 49 and 90, which kafkajs does not know by name. */
function isFenced(thrown: unknown): boolean {
  const cause = thrown instanceof Error ? thrown.cause : undefined
  const type = thrown instanceof Error && 'type' in thrown ? thrown.type : undefined
  return (
    type === 'INVALID_PRODUCER_EPOCH' ||
    type === 'INVALID_PRODUCER_ID_MAPPING' ||
    /PRODUCER_FENCED|error code 90\b/.test(messageOf(thrown)) ||
    (cause !== undefined && isFenced(cause))
  )
}
