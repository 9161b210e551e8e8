/**
 * An event's body as its fields' bytes, written by hand: a test can put any bytes in a field's place, also what no encoder
 * would write.
 */
import { outcomes } from '../../services/shared/domain/taxonomy.ts'
import type { AssistantIntentEvent } from '../../services/shared/domain/event.ts'

export type Pieces = Record<string, Buffer>

/** A zigzag varint of any 64-bit value; `bytes` asks for more bytes than it needs, which Avro allows up to 10. */
export function varint(value: bigint | number, bytes = 1): Buffer {
  const wide = BigInt(value)
  let rest = BigInt.asUintN(64, (wide << 1n) ^ (wide >> 63n))
  const out: number[] = []
  for (; rest >= 0x80n || out.length + 1 < bytes; rest >>= 7n) {
    out.push(Number(rest & 0x7fn) | 0x80)
  }
  return Buffer.from([...out, Number(rest)])
}

export function text(content: string | Buffer, options: { lengthBytes?: number } = {}): Buffer {
  const bytes = Buffer.from(content as string)
  return Buffer.concat([varint(bytes.length, options.lengthBytes), bytes])
}

/** An array in blocks of so many items; `sized` writes each block's size before it, as the specification allows. */
export function array(items: readonly Buffer[], options: { perBlock?: number; sized?: boolean } = {}): Buffer {
  const blocks: Buffer[] = []
  const perBlock = options.perBlock ?? Math.max(1, items.length)
  for (let at = 0; at < items.length; at += perBlock) {
    const block = items.slice(at, at + perBlock)
    const bytes = Buffer.concat(block)
    blocks.push(
      options.sized === true ? Buffer.concat([varint(-block.length), varint(bytes.length)]) : varint(block.length),
    )
    blocks.push(bytes)
  }
  return Buffer.concat([...blocks, varint(0)])
}

export function piecesOf(event: AssistantIntentEvent, version: 1 | 2): Pieces {
  const { purchase } = event
  const bought = purchase && [text(purchase.orderId), varint(purchase.amountMicros), text(purchase.currency)]
  return {
    eventId: event.eventId,
    occurredAt: varint(event.occurredAt),
    device: event.device,
    household: event.household,
    product: text(event.product),
    deviceModel: text(event.deviceModel),
    activatedOn: varint(event.activatedOn),
    country: text(event.country),
    locale: text(event.locale),
    plans: array(event.plans.map((plan) => text(plan))),
    intent: text(event.intent),
    outcome: varint(outcomes.indexOf(event.outcome)),
    latencyMs: varint(event.latencyMs),
    purchase: bought === null ? varint(0) : Buffer.concat([varint(1), ...bought]),
    appVersion: text(event.appVersion),
    ...(version === 2 && {
      skillId: event.skillId === null ? varint(0) : Buffer.concat([varint(1), text(event.skillId)]),
    }),
  }
}

export function framed(pieces: Pieces, schemaId: number): Buffer {
  const header = Buffer.alloc(5)
  header.writeUInt32BE(schemaId >>> 0, 1)
  return Buffer.concat([header, ...Object.values(pieces)])
}
