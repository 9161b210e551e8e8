import type { LogProducer } from '../shared/io/kafka-producer.ts'

export interface Sendable {
  readonly key: Buffer
  readonly value: Buffer | null
}

/** A batch stays under Kafka's default limit of 1 MiB even if all of it goes to one partition. */
const batchMessagesMax = 4_000
const batchBytesMax = 600_000
/** Bytes that a record adds to its key and value, at most. */
const recordOverheadBytes = 24

/**
 * Gathers messages and sends them in batches, one batch in flight while the next is made. The record's timestamp is the
 * time of sending. `onSent` gets the messages that every in-sync replica has acknowledged, in their order: what was
 * prepared but not sent is never counted.
 */
export function createBatchSender<M extends Sendable>(options: {
  producer: LogProducer
  onSent: (messages: readonly M[]) => void
}) {
  let batch: M[] = []
  let batchBytes = 0
  let inFlight: Promise<void> = Promise.resolve()

  async function send(messages: readonly M[]): Promise<void> {
    const timestampMs = Date.now()
    await options.producer.send(messages.map(({ key, value }) => ({ key, value, timestampMs })))
    options.onSent(messages)
  }

  /** Hands the batch over; resolves when the one before it is acknowledged. */
  async function flush(): Promise<void> {
    await inFlight
    if (batch.length > 0) {
      inFlight = send(batch)
      // Whoever awaits it next gets the error; this only keeps it from counting as unhandled until then.
      inFlight.catch(() => undefined)
      batch = []
      batchBytes = 0
    }
  }

  return {
    /** Adds one message; a promise only when a batch is full, so that the many other calls cost no turn of the loop. */
    add(message: M): Promise<void> | undefined {
      const bytes = message.key.length + (message.value?.length ?? 0) + recordOverheadBytes
      const full = batch.length >= batchMessagesMax || batchBytes + bytes > batchBytesMax
      const flushed = full ? flush() : undefined
      // flush() empties the batch only after the one in flight is done, so the message must wait for it too.
      if (flushed !== undefined) {
        return flushed.then(() => {
          batch.push(message)
          batchBytes += bytes
        })
      }
      batch.push(message)
      batchBytes += bytes
      return undefined
    },
    flush,
    /** Sends what is left and waits for all acknowledgements. */
    async finish(): Promise<void> {
      await flush()
      await inFlight
    },
  }
}
