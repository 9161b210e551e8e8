import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { createSpanCache } from '../../../../services/shared/domain/span-cache.ts'

const viewOf = (bytes: Buffer) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
const text = (span: Uint8Array) => Buffer.from(span).toString('latin1')

test('makes an answer once a span, wherever the span stands', () => {
  const made: string[] = []
  const cache = createSpanCache((span) => ({ text: made[made.push(text(span)) - 1]! }))
  const bytes = Buffer.from('play_music|play_music|play_musics')
  const first = cache.get(viewOf(bytes), 0, 10)
  assert.equal(cache.get(viewOf(bytes), 11, 21), first)
  assert.notEqual(cache.get(viewOf(bytes), 22, 33), first)
  assert.deepEqual(made, ['play_music', 'play_musics'])
})

test('keeps its own copy, so that a reused buffer changes nothing', () => {
  const cache = createSpanCache(text)
  const bytes = Buffer.from('weather')
  cache.get(viewOf(bytes), 0, 7)
  bytes.write('timer__')
  assert.equal(cache.get(viewOf(bytes), 0, 7), 'timer__')
  assert.equal(cache.get(viewOf(Buffer.from('weather')), 0, 7), 'weather')
})

test('always answers for the very span asked, however small its room and however spans collide', () => {
  const spans = fc.array(fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 }), { maxLength: 200 })
  fc.assert(
    fc.property(spans, fc.constantFrom(1, 2, 4, 8), (list, entriesMax) => {
      const cache = createSpanCache(text, entriesMax)
      for (const span of list) {
        assert.equal(cache.get(viewOf(Buffer.from(`x${span}y`)), 1, 1 + span.length), span)
      }
    }),
  )
})

test('empties itself instead of growing when more spans come than it has room for', () => {
  let made = 0
  const cache = createSpanCache((span) => [made++, text(span)] as const, 4)
  const get = (span: string) => cache.get(viewOf(Buffer.from(span)), 0, span.length)
  for (const span of ['a', 'b', 'c', 'd', 'a', 'd']) {
    get(span)
  }
  assert.equal(made, 4)
  get('e')
  get('a')
  assert.equal(made, 6, 'a was forgotten when e came')
})
