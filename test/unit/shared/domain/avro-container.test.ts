import assert from 'node:assert/strict'
import { test } from 'node:test'

import avro from 'avro-js'

import { blockHead, containerHeader } from '../../../../services/shared/domain/avro-container.ts'

const schema = {
  type: 'record',
  name: 'Row',
  fields: [
    { name: 'number', type: 'long' },
    { name: 'text', type: 'string' },
  ],
}
const type = avro.parse(schema)

/** The header as the Avro specification itself writes its schema. */
const headerType = avro.parse({
  type: 'record',
  name: 'Header',
  fields: [
    { name: 'magic', type: { type: 'fixed', name: 'Magic', size: 4 } },
    { name: 'meta', type: { type: 'map', values: 'bytes' } },
    { name: 'sync', type: { type: 'fixed', name: 'Sync', size: 16 } },
  ],
})
const long = avro.parse('long')
const rowsType = avro.parse({ type: 'array', items: schema })

/** Reads a container with avro-js. (Its own decoder of files stops after 17 rows when it is fed at once.) */
function readBack(parts: readonly Uint8Array[]) {
  const [headerBytes, head, body, marker] = parts
  const header = headerType.fromBuffer(Buffer.from(headerBytes!)) as {
    magic: Buffer
    meta: Record<string, Buffer>
    sync: Buffer
  }
  assert.equal(parts.length, 4)
  assert.equal(header.magic.toString('latin1'), 'Obj\x01')
  assert.deepEqual(Buffer.from(marker!), header.sync)
  assert.deepEqual(JSON.parse(header.meta['avro.schema']!.toString()), schema)
  assert.equal(header.meta['avro.codec']!.toString(), 'null')
  // An array is written as a block too: its count, its items, and a count of 0 to end it.
  const size = long.toBuffer(body!.length)
  assert.deepEqual(Buffer.from(head!.subarray(-size.length)), size)
  const count = head!.subarray(0, -size.length)
  const rows = rowsType.fromBuffer(Buffer.concat([count, body!, Uint8Array.of(0)])) as object[]
  return rows.map((row) => ({ ...row }))
}

test('writes containers that avro-js reads back row by row', () => {
  const rows = Array.from({ length: 3_000 }, (_, number) => ({ number, text: `row ${number}` }))
  const body = Buffer.concat(rows.map((row) => type.toBuffer(row)))
  const sync = Buffer.alloc(16, 7)
  const parts = [containerHeader(schema, { codec: 'null', sync }), blockHead(rows.length, body.length), body, sync]
  assert.deepEqual(readBack(parts), rows)
})
