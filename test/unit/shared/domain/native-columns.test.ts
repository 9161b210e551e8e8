import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  arrayColumn,
  nativeBlock,
  nullableStringColumn,
  plainColumn,
  type NativeColumn,
} from '../../../../services/shared/domain/native-columns.ts'
import { nativeRows } from '../../../support/native-rows.ts'

const rowsOf = (rows: number, columns: Readonly<Record<string, NativeColumn>>) =>
  nativeRows(
    nativeBlock(
      rows,
      Object.entries(columns).map(([name, column]) => ({ name, type: column.type, parts: column.parts() })),
    ),
  )

test('lays a block out as ClickHouse documents it', () => {
  const numbers = plainColumn('UInt32')
  numbers.sink.int32(258)
  const texts = plainColumn('String')
  texts.sink.counted(Buffer.from('ab'), 0, 2)
  const block = nativeBlock(1, [
    { name: 'n', type: 'UInt32', parts: numbers.parts() },
    { name: 't', type: 'String', parts: texts.parts() },
  ])
  assert.equal(Buffer.concat(block).toString('latin1'), `\x02\x01\x01n\x06UInt32\x02\x01\x00\x00\x01t\x06String\x02ab`)
})

test('holds texts that may be missing beside empty ones', () => {
  const texts = nullableStringColumn()
  const bytes = Buffer.from('xyz')
  texts.put(bytes, 1, 3)
  texts.put(bytes, -1, -1)
  texts.put(bytes, 2, 2)
  assert.deepEqual(
    rowsOf(3, { texts }).map((row) => row['texts']),
    ['yz', null, ''],
  )
  assert.equal(texts.bytes, 3 + 3 + 1 + 1)
  texts.clear()
  assert.equal(texts.bytes, 0)
})

test('holds lists of any length', () => {
  const lists = arrayColumn('Int64')
  for (const list of [[1, -2], [], [2 ** 40]]) {
    list.forEach((item) => lists.items.int64(item))
    lists.endRow(list.length)
  }
  const found = () => rowsOf(3, { lists }).map((row) => row['lists'])
  assert.deepEqual(found(), [[1, -2], [], [2 ** 40]])
  lists.clear()
  assert.equal(lists.bytes, 0)
  for (let row = 0; row < 3; row++) {
    lists.items.int64(row)
    lists.endRow(1)
  }
  assert.deepEqual(found(), [[0], [1], [2]])
})
