import assert from 'node:assert/strict'
import { test } from 'node:test'

import { printRedrive } from '../../../services/redrive/print.ts'
import type { RedriveReport } from '../../../services/redrive/run.ts'
import { tableColumnsMax } from '../../../services/shared/io/render.ts'

const report: RedriveReport = {
  ...{ finished: true, dryRun: false, candidates: 1_203, before: 7, sent: 1_200, stay: 3 },
  rows: [
    { detail: 'id 9 is not registered', reason: null, reasonDetail: '', messages: 1_200 },
    { detail: 'id 9 is not registered', reason: 'field_invalid', reasonDetail: 'purchase.currency', messages: 3 },
  ],
  settled: { sent: 0, not_sent: 0, unknown: 0 },
}
const parameters = { reason: 'unknown_schema' }

test('says what was sent, what stays and why', () => {
  const text = printRedrive(report, parameters, 'table')
  assert.match(text, /^unknown_schema: id 9 is not registered +1,200 +sent$/m)
  assert.match(text, /^unknown_schema: id 9 is not registered +3 +stay +field_invalid: purchase.currency$/m)
  assert.match(text, /\n\nredrive: 1,200 sent, 3 would be rejected again and stay; 7 were redriven before\n$/)
  assert.ok(text.split('\n').every((line) => line.length <= tableColumnsMax))
})

test('says so when nothing was sent, when it was stopped, and what became of a run that was cut off', () => {
  assert.match(printRedrive({ ...report, dryRun: true }, parameters, 'table'), /1,200 +would be sent\n/)
  assert.match(printRedrive({ ...report, finished: false }, parameters, 'table'), /\nstopped before the end; .*\n$/)
  const text = printRedrive({ ...report, settled: { sent: 5, not_sent: 2, unknown: 1 } }, parameters, 'table')
  assert.match(text, /^an earlier run was cut off: .* 5 stood in the log, 2 did not$/m)
  assert.match(text, /^of 1 nobody can know, .*never sent again/m)
})

test('of nothing there is no table', () => {
  const none = { ...report, candidates: 0, sent: 0, stay: 0, rows: [] }
  assert.match(printRedrive(none, parameters, 'table'), /^redrive: 0 sent/)
})

test('JSON holds the parameters and all numbers', () => {
  const {
    report: name,
    parameters: given,
    ...rest
  } = JSON.parse(printRedrive(report, parameters, 'json')) as Record<string, unknown>
  const { dryRun, ...numbers } = report
  assert.deepEqual(
    [name, given, rest],
    ['redrive', { reason: 'unknown_schema', from: null, to: null, dryRun }, numbers],
  )
})
