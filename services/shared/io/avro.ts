import avro from 'avro-js'

import type { AssistantIntentEvent } from '../domain/event.ts'
import { frame } from '../domain/wire.ts'

export interface EventEncoder {
  readonly schemaId: number
  /** One event as a framed Kafka value. Throws when the event does not fit the schema. */
  encode(event: AssistantIntentEvent): Buffer
}

/**
 * Encodes events by avro-js under one writer schema. A union's value is wrapped under its full name, as avro-js wants;
 * fields that the schema does not know are left out by it.
 */
export function createEventEncoder(options: { schemaId: number; schema: unknown }): EventEncoder {
  const type = avro.parse(options.schema)
  return {
    schemaId: options.schemaId,
    encode(event) {
      const purchase = event.purchase === null ? null : { 'intentledger.Purchase': event.purchase }
      const skillId = event.skillId === null ? null : { string: event.skillId }
      return frame(options.schemaId, type.toBuffer({ ...event, purchase, skillId }))
    },
  }
}

/** Refuses a schema that Avro itself refuses; the message is avro-js' own. */
export function checkAvroSchema(schema: unknown): void {
  avro.parse(schema)
}
