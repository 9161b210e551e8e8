import assert from 'node:assert/strict'
import { test } from 'node:test'

import { nativeBlock } from '../../../../services/shared/domain/native-columns.ts'
import {
  clearDictionary,
  createDictionary,
  dictionaryBytes,
  dictionaryParts,
  growDictionary,
  keepText,
  lookUp,
  putKept,
  putText,
  type Dictionary,
} from '../../../../services/shared/domain/native-dictionary.ts'
import { textsMax } from '../../../../services/shared/domain/text-table.ts'
import { nativeRows } from '../../../support/native-rows.ts'

function open(rowsMax = 10) {
  const dictionary = createDictionary((bytes) => bytes.length < 10)
  growDictionary(dictionary, rowsMax)
  const numberOf = (text: string) => {
    const bytes = Buffer.from(text)
    return lookUp(dictionary, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length)
  }
  return { dictionary, numberOf, put: (row: number, text: string) => putText(dictionary, row, numberOf(text)) }
}

const rowsOf = (dictionary: Dictionary, rows: number) =>
  nativeRows(
    nativeBlock(rows, [{ name: 'c', type: 'LowCardinality(String)', parts: dictionaryParts(dictionary, rows) }]),
  ).map(({ c }) => c)

test('writes each text once a block, and a key a row', () => {
  const { dictionary, put } = open()
  const texts = ['echo', 'kindle', 'echo', '', 'echo']
  texts.forEach((text, row) => put(row, text))
  assert.deepEqual(rowsOf(dictionary, 5), texts)
  assert.equal(dictionary.keyCount, 3)
  assert.equal(dictionaryBytes(dictionary, 5), 5 * 2 + 5 + 7 + 1)
  clearDictionary(dictionary)
  put(0, 'kindle')
  assert.deepEqual(rowsOf(dictionary, 1), ['kindle'])
  assert.equal(dictionary.keyCount, 1, 'a block has the keys that its rows need')
})

test('judges a text once', () => {
  const { dictionary, numberOf } = open()
  assert.equal(dictionary.fits[numberOf('echo')], 1)
  assert.equal(dictionary.fits[numberOf('much longer')], 0)
  assert.equal(dictionary.fits[numberOf('echo')], 1)
})

test('writes a text that its owner keeps, in one block after the other', () => {
  const { dictionary, put } = open()
  const kept = [keepText(Buffer.from('free')), keepText(Buffer.from('bought'))] as const
  for (let block = 0; block < 2; block++) {
    putKept(dictionary, 0, kept[1])
    put(1, 'echo')
    putKept(dictionary, 2, kept[0])
    putKept(dictionary, 3, kept[1])
    assert.deepEqual(rowsOf(dictionary, 4), ['bought', 'echo', 'free', 'bought'])
    assert.equal(dictionary.keyCount, 3)
    clearDictionary(dictionary)
  }
})

test('keeps its rows when more room is made, also in the middle of a block', () => {
  const { dictionary, put } = open(1)
  put(0, 'a')
  growDictionary(dictionary, 3)
  put(1, 'b')
  put(2, 'a')
  assert.deepEqual(rowsOf(dictionary, 3), ['a', 'b', 'a'])
})

test('takes more texts than it knows at a time, and more than 16 bits can number', () => {
  const rows = 70_000
  assert.ok(rows > textsMax)
  const { dictionary, put } = open(rows)
  for (let block = 0; block < 2; block++) {
    for (let row = 0; row < rows; row++) {
      put(row, `t${row}`)
    }
    assert.equal(dictionary.isWide, true)
    rowsOf(dictionary, rows).forEach((text, row) => assert.equal(text, `t${row}`))
    clearDictionary(dictionary)
    assert.equal(dictionary.isWide, false)
    put(0, 'one')
    assert.deepEqual(rowsOf(dictionary, 1), ['one'])
    clearDictionary(dictionary)
  }
})
