import assert from 'node:assert/strict'
import { test } from 'node:test'

import { blockHead, containerHeader } from '../../../../services/shared/domain/avro-container.ts'
import { readBlockHead, readContainerHeader } from '../../../../services/shared/domain/avro-container-reader.ts'

const schema = { type: 'record', name: 'Row', fields: [{ name: 'text', type: 'string', doc: 'é' }] }
const sync = new Uint8Array(16).map((_, index) => index)
const header = containerHeader(schema, { codec: 'deflate', sync, metadata: { 'intent-ledger.topic': 'a' } })

test('reads what was written of a header', () => {
  const read = readContainerHeader(Buffer.concat([header, Buffer.alloc(7)]))!
  assert.deepEqual(read.schema, schema)
  assert.equal(read.codec, 'deflate')
  assert.deepEqual(Uint8Array.from(read.sync), sync)
  assert.equal(read.metadata.get('intent-ledger.topic'), 'a')
  assert.equal(read.end, header.length)
})

test('asks for more while a header is cut short, at whatever byte', () => {
  for (let size = 0; size < header.length; size++) {
    assert.equal(readContainerHeader(header.subarray(0, size)), undefined, `${size}`)
  }
})

test('refuses what is no container, and codecs that are not read here', () => {
  assert.throws(() => readContainerHeader(Buffer.from('PAR1....')), /does not begin as an Avro container/)
  const snappy = Buffer.from(header)
  snappy.write('snappy!', snappy.indexOf('deflate'))
  assert.throws(() => readContainerHeader(snappy), /packed by snappy!, which is not read here/)
})

test('reads the heads of blocks, and asks for more while one is cut short', () => {
  for (const [rows, bytes] of [
    [1, 0],
    [63, 64],
    [64, 8_192],
    [1_000_000, 268_435_456],
  ] as const) {
    const head = Buffer.concat([Buffer.alloc(3, 0xff), blockHead(rows, bytes)])
    assert.deepEqual(readBlockHead(head, 3), { rows, bytes, start: head.length })
    assert.equal(readBlockHead(head.subarray(0, -1), 3), undefined)
  }
})

test('refuses negative counts and numbers without an end', () => {
  assert.throws(() => readBlockHead(Uint8Array.of(1, 2), 0), /less than no rows/)
  assert.throws(() => readBlockHead(new Uint8Array(12).fill(0x80), 0), /longer than ten bytes/)
})
