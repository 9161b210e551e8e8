import avro from 'avro-js'

import type { AssistantIntentEvent } from '../domain/event.ts'
import { frame } from '../domain/wire.ts'

export interface RecordEncoder<Event> {
  readonly schemaId: number
  /** One event as a framed Kafka value. Throws when the event does not fit the schema. */
  encode(event: Event): Buffer
}
export type EventEncoder = RecordEncoder<AssistantIntentEvent>

interface WriterSchema {
  readonly schemaId: number
  readonly schema: unknown
}

/** Encodes events of a stream without unions by avro-js under one writer schema, which leaves out fields that it does not know. */
export function createRecordEncoder<Event extends object>({ schemaId, schema }: WriterSchema): RecordEncoder<Event> {
  const type = avro.parse(schema)
  return { schemaId, encode: (event) => frame(schemaId, type.toBuffer(event)) }
}

/** Encodes requests. A union's value is wrapped under its full name, as avro-js wants. */
export function createEventEncoder(options: WriterSchema): EventEncoder {
  const records = createRecordEncoder(options)
  return {
    schemaId: records.schemaId,
    encode(event) {
      const purchase = event.purchase === null ? null : { 'intentledger.Purchase': event.purchase }
      const skillId = event.skillId === null ? null : { string: event.skillId }
      return records.encode({ ...event, purchase, skillId })
    },
  }
}

/** Refuses a schema that Avro itself refuses; the message is avro-js' own. */
export function checkAvroSchema(schema: unknown): void {
  avro.parse(schema)
}
