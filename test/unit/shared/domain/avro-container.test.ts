import assert from 'node:assert/strict'
import { test } from 'node:test'

import avro from 'avro-js'

import { createContainerWriter } from '../../../../services/shared/domain/avro-container.ts'

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

function fill(writer: ReturnType<typeof createContainerWriter>, rows: readonly object[]): void {
  for (const row of rows) {
    const bytes = type.toBuffer(row)
    writer.sink.raw(bytes, 0, bytes.length)
    writer.endRow()
  }
}

test('writes containers that avro-js reads back row by row', () => {
  const rows = Array.from({ length: 3_000 }, (_, number) => ({ number, text: `row ${number}` }))
  const writer = createContainerWriter(schema)
  fill(writer, rows)
  assert.equal(writer.rows, 3_000)
  assert.equal(writer.bytes, writer.sink.length)
  assert.deepEqual(readBack(writer.parts()), rows)
})

test('holds all rows in one block, so that one insert is one block on every try', () => {
  const writer = createContainerWriter(schema)
  fill(writer, [{ number: 1, text: 'a' }])
  fill(writer, [{ number: 2, text: 'b' }])
  const [header, head, body, marker] = writer.parts()
  assert.deepEqual([...head!], [4, body!.length * 2])
  assert.deepEqual(marker, header!.subarray(-16))
  assert.equal(marker.length, 16)
})

test('is the same bytes for the same rows after it was cleared', () => {
  const writer = createContainerWriter(schema)
  fill(writer, [{ number: 1, text: 'a' }])
  const before = Buffer.concat(writer.parts())
  writer.clear()
  assert.equal(writer.rows, 0)
  assert.equal(writer.bytes, 0)
  fill(writer, [{ number: 1, text: 'a' }])
  assert.deepEqual(Buffer.concat(writer.parts()), before)
  assert.equal(readBack(writer.parts()).length, 1)
})
