import assert from 'node:assert/strict'
import { test } from 'node:test'

import avro from 'avro-js'
import fc from 'fast-check'

import { createByteSink } from '../../../../services/shared/domain/byte-sink.ts'

const long = avro.parse('long')

function written(value: number): Buffer {
  const sink = createByteSink(1)
  sink.long(value)
  return Buffer.from(sink.view())
}

test('writes longs as avro-js does, over the whole range that it promises', () => {
  const max = 2 ** 52 - 1
  fc.assert(
    fc.property(fc.oneof(fc.integer(), fc.integer({ min: -max, max })), (value) => {
      assert.deepEqual(written(value), long.toBuffer(value))
    }),
    { numRuns: 2_000 },
  )
  // Each edge of a further byte, and of the switch from division to shifts.
  for (let bits = 0; bits <= 51; bits++) {
    for (const value of [2 ** bits - 1, 2 ** bits, 2 ** bits + 1]) {
      assert.deepEqual(written(value), long.toBuffer(value), String(value))
      assert.deepEqual(written(-value), long.toBuffer(-value), String(-value))
    }
  }
})

test('writes an offset up to the largest exact integer, though avro-js refuses it', () => {
  for (const value of [2 ** 52, 2 ** 52 + 1, Number.MAX_SAFE_INTEGER]) {
    let read = 0n
    written(value).forEach((byte, index) => (read |= BigInt(byte & 0x7f) << BigInt(7 * index)))
    assert.equal(read >> 1n, BigInt(value))
    assert.equal(read & 1n, 0n)
  }
})

test('writes sized and raw bytes as Avro has them, whatever was written before and however small it began', () => {
  const piece = fc.record({
    bytes: fc.uint8Array({ maxLength: 200 }),
    from: fc.nat({ max: 5 }),
    sized: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), fc.integer({ min: 1, max: 64 }), (pieces, initialBytes) => {
      const sink = createByteSink(initialBytes)
      const wanted: Buffer[] = []
      for (const { bytes, from, sized } of pieces) {
        const start = Math.min(from, bytes.length)
        const cut = Buffer.from(bytes.subarray(start))
        if (sized) {
          sink.sized(bytes, start, bytes.length)
          wanted.push(avro.parse('bytes').toBuffer(cut))
        } else {
          sink.raw(bytes, start, bytes.length)
          wanted.push(cut)
        }
      }
      assert.deepEqual(Buffer.from(sink.view()), Buffer.concat(wanted))
      assert.equal(sink.length, Buffer.concat(wanted).length)
    }),
  )
})

test('copies blocks from anywhere in a view, whatever was written before', () => {
  const source = Uint8Array.from({ length: 2_000 }, (_, index) => (index * 7_919) >>> 3)
  const view = new DataView(source.buffer, 13)
  const piece = fc.tuple(fc.nat({ max: 700 }), fc.oneof(fc.nat({ max: 24 }), fc.nat({ max: 900 })))
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), fc.integer({ min: 1, max: 64 }), (pieces, initialBytes) => {
      const sink = createByteSink(initialBytes)
      const wanted: number[] = []
      for (const [start, size] of pieces) {
        sink.block(view, start, start + size)
        sink.long(-5)
        wanted.push(...source.subarray(13 + start, 13 + start + size), 9)
      }
      assert.deepEqual([...sink.view()], wanted)
    }),
  )
})

for (const size of [0, 63, 64, 65, 4_096]) {
  test(`copies a run of ${size} bytes whole`, () => {
    const bytes = Uint8Array.from({ length: size }, (_, index) => index & 0xff)
    const sink = createByteSink(1)
    sink.raw(bytes, 0, size)
    assert.deepEqual(sink.view(), bytes)
  })
}

test('starts anew after clear', () => {
  const sink = createByteSink()
  sink.long(1_000_000)
  sink.clear()
  assert.equal(sink.length, 0)
  sink.long(-1)
  assert.deepEqual([...sink.view()], [1])
})

test('writes integers of 8 to 64 bits little-endian, two-complement, whatever their sign', () => {
  const max = Number.MAX_SAFE_INTEGER
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.integer(), fc.integer({ min: -max, max }))),
      fc.nat({ max: 9 }),
      (values, room) => {
        const sink = createByteSink(room)
        const wanted = Buffer.alloc(values.length * 15)
        values.forEach((value, index) => {
          sink.int8(value)
          sink.int16(value)
          sink.int32(value)
          sink.int64(value)
          const bits = (count: number) => BigInt.asIntN(count, BigInt(value))
          wanted.writeInt8(Number(bits(8)), index * 15)
          wanted.writeInt16LE(Number(bits(16)), index * 15 + 1)
          wanted.writeInt32LE(Number(bits(32)), index * 15 + 3)
          wanted.writeBigInt64LE(bits(64), index * 15 + 7)
        })
        assert.deepEqual(Buffer.from(sink.view()), wanted)
      },
    ),
  )
})

test('writes counted bytes behind an unsigned varint', () => {
  for (const size of [0, 1, 127, 128, 16_383, 16_384, 100_000]) {
    const sink = createByteSink(1)
    sink.counted(Buffer.alloc(size + 2, 7), 1, size + 1)
    const bytes = Buffer.from(sink.view())
    let read = 0
    let head = 0
    do {
      read += (bytes[head]! & 0x7f) * 128 ** head
    } while (bytes[head++]! >= 0x80)
    assert.equal(read, size)
    assert.deepEqual(bytes.subarray(head), Buffer.alloc(size, 7))
  }
})
