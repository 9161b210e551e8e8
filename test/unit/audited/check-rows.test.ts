import assert from 'node:assert/strict'
import { test } from 'node:test'

import { checkRows, type StoredEvent } from '../../../services/audited/check-rows.ts'
import type { AuditedRow } from '../../../services/audited/sample-file.ts'

const row = (line: number, eventId: string): AuditedRow => ({
  ...{ line, eventId, trueClass: 'free', auditedBy: '', auditedOn: null },
})
const stored = new Map<string, StoredEvent>(
  [
    ['a', 'home1'],
    ['b', 'home1'],
    ['c', 'home2'],
  ].map(([id, household]) => [id!, { household: household!, valueClass: 'direct', taxonomyVersion: 2 }]),
)

test('puts what the classifier said beside what people said', () => {
  const { checked, faults } = checkRows([row(2, 'a'), row(3, 'c')], stored)
  assert.deepEqual(faults, [])
  assert.deepEqual(checked[0], { ...row(2, 'a'), valueClass: 'direct', taxonomyVersion: 2 })
  assert.equal(checked.length, 2)
})

test('names unknown events, events again and second events of a household', () => {
  const { checked, faults } = checkRows([row(2, 'a'), row(3, 'x'), row(4, 'b'), row(5, 'a'), row(6, 'x')], stored)
  assert.deepEqual(
    checked.map(({ line }) => line),
    [2],
  )
  assert.deepEqual(
    faults.map(({ line, fault }) => `${line} ${fault}`),
    [
      '3 unknown event: no accepted event has this id',
      '4 of the household of line 2; only one event of a household counts, take one line out',
      '5 the event of line 2 again',
      '6 unknown event: no accepted event has this id',
    ],
  )
})
