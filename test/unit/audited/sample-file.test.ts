import assert from 'node:assert/strict'
import { test } from 'node:test'

import { readSampleFile, writeSampleFile } from '../../../services/audited/sample-file.ts'

const id = '018f3c2a-7b1c-7def-8abc-0123456789ab'
const hex = id.replaceAll('-', '')

test('a drawn event is a line for people to fill in, without what the classifier said', () => {
  const event = { eventId: hex, occurredAt: '2026-03-01 10:00:00.000', intent: 'play_music', outcome: 'fulfilled' }
  const text = writeSampleFile([{ ...event, product: 'echo', country: 'US', plans: 'music,prime' }])
  assert.equal(
    text,
    'event_id,occurred_at,intent,outcome,product,country,plans,true_class,audited_by,audited_on\r\n' +
      `${id},2026-03-01 10:00:00.000,play_music,fulfilled,echo,US,"music,prime",,,\r\n`,
  )
  const filled = text.replace(/,,,\r\n$/, ',entitlement,Ann,2026-03-31\r\n')
  assert.deepEqual(readSampleFile(filled, 'x'), {
    rows: [{ line: 2, eventId: hex, trueClass: 'entitlement', auditedBy: 'Ann', auditedOn: '2026-03-31' }],
    faults: [],
  })
})

test('takes semicolons, a byte order mark, capitals, spaces and columns it does not know', () => {
  const text = `\uFEFFEvent_ID; true_class ;remark\n${hex.toUpperCase()}; Free ;a, b\n\n${id};direct;\n`
  assert.deepEqual(
    readSampleFile(text, 'x').rows.map(({ line, eventId, trueClass, auditedOn }) => [
      line,
      eventId,
      trueClass,
      auditedOn,
    ]),
    [
      [2, hex, 'free', null],
      [4, hex, 'direct', null],
    ],
  )
})

test('says of each line what is wrong with it', () => {
  const lines: [line: string, fault: RegExp][] = [
    ['no-id,free,,', /^event_id is no UUID$/],
    [`${id},,,`, /^true_class is empty; fill it in, or take the line out$/],
    [`${id},unclassified,,`, /^true_class must be direct, assisted, entitlement, free, not_a_request$/],
    [`${id},free,${'x'.repeat(65)},`, /^audited_by must have at most 64 characters$/],
    [`${id},free,,31.3.2026`, /^audited_on must be a day as 2026-03-31$/],
    [`${id},free,,2026-02-30`, /^audited_on must be a day/],
    [`${id},free`, /^2 columns, but the header has 4$/],
  ]
  const text = ['event_id,true_class,audited_by,audited_on', ...lines.map(([line]) => line)].join('\n')
  const { rows, faults } = readSampleFile(text, 'x')
  assert.deepEqual(rows, [])
  faults.forEach(({ line, fault }, index) => {
    assert.equal(line, index + 2)
    assert.match(fault, lines[index]![1])
  })
  assert.equal(faults.length, lines.length)
})

test('refuses what is no such file', () => {
  assert.throws(
    () => readSampleFile('', 'empty.csv'),
    /empty\.csv has no column event_id and true_class; its header must/,
  )
  assert.throws(() => readSampleFile(`event_id\n${id}\n`, 'x.csv'), /x\.csv has no column true_class/)
  assert.throws(() => readSampleFile('event_id,true_class\n"open', 'x.csv'), /x\.csv is not CSV: /)
})
