import assert from 'node:assert/strict'
import { test } from 'node:test'

import { auditLine, printAudit } from '../../../services/report/audit.ts'
import { tableColumnsMax } from '../../../services/shared/io/render.ts'
import type { AuditReport } from '../../../services/shared/pipeline/audit.ts'

const partition = {
  ...{
    topic: 'assistant-intents',
    topicId: '11111111-2222-3333-4444-555555555555',
    partition: 0,
    batches: 3,
    first: 0,
  },
  ...{ end: 303_009, low: 0, high: 303_009, unread: 0, accepted: 298_500, duplicate: 3_009, rejected: 1_500 },
  ...{ erased: 0, noMessage: 0, expired: 0, offsetSums: ['1', '2', '3'] as const },
}
const redriven = { sent: 0, accepted: 0, duplicate: 0, rejected: 0, waiting: 0, unknown: 0 }
const clean: AuditReport = { clean: true, differences: [], partitions: [partition], redriven }

test('a clean audit ends in one line that accounts for every offset', () => {
  assert.equal(
    auditLine(clean),
    'audit: clean — 303,009 offsets: 298,500 accepted, 3,009 duplicate, 1,500 rejected, 0 without a message, 0 expired; 0 not yet read',
  )
})

test('every difference gets a line that says what was expected and what was found', () => {
  const text = printAudit({
    ...clean,
    clean: false,
    differences: [
      { kind: 'rows_differ', where: 'intent_events assistant-intents/0 0-9', expected: '10 rows', found: '9 rows' },
    ],
  })
  assert.match(text, /^rows_differ: intent_events assistant-intents\/0 0-9: expected 10 rows, found 9 rows$/m)
  assert.match(text, /^audit: 1 difference — /m)
})

test('the table of partitions fits, also with huge numbers and long topics', () => {
  const huge = {
    ...partition,
    topic: 't'.repeat(120),
    batches: 99_999_999,
    end: 999_999_999_999,
    accepted: 999_999_999_999,
  }
  const [table] = printAudit({ ...clean, partitions: [huge] }).split('\n\n')
  for (const line of table!.split('\n')) {
    assert.ok(line.length <= tableColumnsMax, `${line.length}: ${line}`)
  }
})

test('what was redriven gets a line of its own, and none where nothing was', () => {
  assert.doesNotMatch(printAudit(clean), /redriven/)
  const counts = { sent: 1_000, accepted: 990, duplicate: 4, rejected: 3, waiting: 3, unknown: 1 }
  assert.match(
    printAudit({ ...clean, redriven: counts }),
    /^redriven: 1,000 of the rejected messages: 990 accepted, 4 duplicate, 3 rejected again, 3 not yet read; 1 not known$/m,
  )
})

test('in CSV redriven messages are a record of their own; those that wait are unread', () => {
  const counts = { sent: 10, accepted: 6, duplicate: 1, rejected: 1, waiting: 2, unknown: 0 }
  const lines = printAudit({ ...clean, redriven: counts }, 'csv').split('\r\n')
  assert.equal(
    lines.find((line) => line.startsWith('redriven,')),
    'redriven,,,,,6,1,1,,,,2,,',
  )
  assert.ok(
    printAudit(clean, 'csv')
      .split('\r\n')
      .every((line) => !line.startsWith('redriven')),
  )
})
