import assert from 'node:assert/strict'
import { test } from 'node:test'

import { newRecord, viewOf, type LogRecord } from '../../../../services/shared/domain/log-record.ts'
import { headerText } from '../../../../services/shared/io/kafka-record-headers.ts'

/** A record as it stands in a batch: its value, the number of headers, then each as two sized texts; sizes are zigzag varints. */
function record(value: string, headers: readonly (readonly [string, string | null])[]): LogRecord {
  const sized = (text: string | null) => (text === null ? [1] : [...varint(text.length), ...Buffer.from(text)])
  const bytes = Buffer.from([
    ...Buffer.from(value),
    ...varint(headers.length),
    ...headers.flatMap(([name, text]) => [...sized(name), ...sized(text)]),
  ])
  return { ...newRecord(), bytes, view: viewOf(bytes), valueStart: 0, valueEnd: value.length }
}

function varint(value: number): number[] {
  const rest = value * 2
  return rest < 0x80 ? [rest] : [(rest & 0x7f) | 0x80, rest >> 7]
}

test('finds a header behind the value, whatever stands before it', () => {
  const long = 'x'.repeat(200)
  const found = record('value', [
    ['trace', long],
    ['empty', null],
    [long, ''],
    ['wanted', `${long}!`],
    ['after', ''],
  ])
  assert.equal(headerText(found, 'wanted'), `${long}!`)
  assert.equal(headerText(found, 'empty'), '')
  assert.equal(headerText(found, long), '')
})

test('there may be none of the name, or none at all', () => {
  assert.equal(headerText(record('value', [['wanted-not', 'a']]), 'wanted'), undefined)
  assert.equal(headerText(record('', []), 'wanted'), undefined)
  assert.equal(headerText(newRecord(), 'wanted'), undefined, 'a record without a value is not read')
})
