import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { createTextTable, textBytes, textNumber, textsMax } from '../../../../services/shared/domain/text-table.ts'

function open() {
  const told: string[] = []
  const table = createTextTable((number, bytes) => told.push(`${number} ${Buffer.from(bytes).toString('latin1')}`))
  /** Asks for a text that stands somewhere inside other bytes. */
  const numberOf = (text: string) => {
    const bytes = Buffer.from(`<<${text}>`, 'latin1')
    return textNumber(table, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 2, 2 + text.length)
  }
  return { table, told, numberOf }
}

test('gives each text a number, the same each time, and tells of it once', () => {
  const { table, told, numberOf } = open()
  const texts = ['', 'US', 'en-US', 'echo', 'echo_dot', 'echo_dots', 'echo_dot_5']
  assert.deepEqual(texts.map(numberOf), [0, 1, 2, 3, 4, 5, 6])
  assert.deepEqual(texts.map(numberOf), [0, 1, 2, 3, 4, 5, 6])
  assert.deepEqual(
    told,
    texts.map((text, number) => `${number} ${text}`),
  )
  texts.forEach((text, number) => assert.equal(Buffer.from(textBytes(table, number)).toString(), text))
})

test('tells any two texts apart, also those that differ in one byte', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '\u00ff'), maxLength: 12 })
  fc.assert(
    fc.property(fc.array(text, { maxLength: 100 }), (texts) => {
      const { table, numberOf } = open()
      for (const one of [...texts, ...texts]) {
        assert.equal(Buffer.from(textBytes(table, numberOf(one))).toString('latin1'), one)
      }
      assert.equal(table.count, new Set(texts).size)
    }),
  )
})

test('empties itself instead of growing, says so, and then tells of a text anew', () => {
  const { table, told, numberOf } = open()
  for (let number = 0; number < textsMax; number++) {
    assert.equal(numberOf(`a longer text ${number}`), number)
  }
  assert.equal(numberOf('a longer text 7'), 7)
  assert.equal(table.emptied, 0)
  assert.equal(numberOf('one more'), 0)
  assert.deepEqual([table.emptied, table.count], [1, 1])
  assert.equal(numberOf('a longer text 7'), 1)
  assert.deepEqual(told.slice(-2), ['0 one more', '1 a longer text 7'])
})
