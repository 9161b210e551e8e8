/** The JSON twin of the topic: every message once more, as a producer without Avro would send it. */
import { headerBytes, schemaIdOf } from '../../services/shared/domain/wire.ts'
import type { LogProducer, OutgoingMessage } from '../../services/shared/io/kafka-producer.ts'
import { loadWriterTypes } from './writer-types.ts'

interface Decoded {
  readonly eventId: Buffer
  readonly device: Buffer
  readonly household: Buffer
  readonly purchase: { readonly 'intentledger.Purchase': object } | null
  readonly skillId?: { readonly string: string } | null
}

/**
 * Sends each batch to both topics with the same keys, times and order, so that partitions and offsets agree. A malformed message
 * that is no event goes to the twin as it stands: it is no JSON either.
 */
export async function createTwinProducer(avroProducer: LogProducer, jsonProducer: LogProducer): Promise<LogProducer> {
  const toJson = await createTranscoder()
  return {
    async send(messages: readonly OutgoingMessage[]) {
      await avroProducer.send(messages)
      await jsonProducer.send(messages.map((message) => ({ ...message, value: toJson(message.value) })))
    },
    async disconnect() {
      await avroProducer.disconnect()
      await jsonProducer.disconnect()
    },
  }
}

/** Ids and pseudonyms as hex, a union as its bare value; the other fields as they are. */
async function createTranscoder(): Promise<(value: Buffer | null) => Buffer | null> {
  const types = await loadWriterTypes()
  return (value) => {
    const type = types.get(schemaIdOf(value))
    if (value === null || type === undefined) {
      return value
    }
    let event: Decoded
    try {
      event = type.fromBuffer(value.subarray(headerBytes)) as Decoded
    } catch {
      return value
    }
    return Buffer.from(
      JSON.stringify({
        ...event,
        eventId: event.eventId.toString('hex'),
        device: event.device.toString('hex'),
        household: event.household.toString('hex'),
        purchase: event.purchase?.['intentledger.Purchase'] ?? null,
        skillId: event.skillId?.string ?? null,
      }),
    )
  }
}
