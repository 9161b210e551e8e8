import assert from 'node:assert/strict'
import { test } from 'node:test'

import { tableColumnsMax } from '../../../services/shared/io/render.ts'
import type { AuditedSample } from '../../../services/shared/domain/audited-sample.ts'
import { printShare, type ShareReport, type ShareRow } from '../../../services/report/share.ts'

const row: ShareRow = {
  ...{ product: 'echo', cohort_month: '2026-03', country: 'US', plans: '', day: '2026-03-31', taxonomy_version: 1 },
  ...{ requests: 1_234_567, households: 20_145, strict_share: 0.0124, strict_low: 0.0098, strict_high: 0.0157 },
  ...{ strict_quality: 'ok', broad_share: 0.31, broad_low: 0.3, broad_high: 0.32, broad_quality: 'ok', suppressed: 0 },
}
const hidden: ShareRow = {
  ...{ ...row, product: 'ring', requests: null, households: null, suppressed: 1 },
  ...{ strict_share: null, strict_low: null, strict_high: null, strict_quality: null },
  ...{ broad_share: null, broad_low: null, broad_high: null, broad_quality: null },
}
const report = (rows: ShareRow[], by: ShareReport['parameters']['by'] = ['product']): ShareReport => ({
  window: { from: '2026-03-01', to: '2026-03-28', days: 28, note: 'as asked for' },
  parameters: { by, product: '', cohort: '', country: '', plans: 'any' },
  rows,
})

test('a table names window, figures and marks', () => {
  assert.equal(
    printShare(report([row, hidden])),
    [
      'usage share, 2026-03-01 to 2026-03-28, 28 days (UTC), as asked for',
      '',
      'product   requests  households              strict                  broad',
      '-------  ---------  ----------  ------------------  ---------------------',
      'echo     1,234,567      20,145  1.24 % (0.98-1.57)  31.00 % (30.00-32.00)',
      'ring        hidden      hidden',
      'strict: bought in the turn; broad: also upstream of a purchase or part of a paid plan; 95 % interval',
      'hidden: under 11 households, or it would give such a cell away',
      '',
    ].join('\n'),
  )
})

test('two taxonomy versions get a column and a word of warning', () => {
  const text = printShare(report([row, { ...row, taxonomy_version: 2 }]))
  assert.match(text, /product +taxonomy +requests/)
  assert.match(text, /echo +v2 /)
  assert.match(text, /two taxonomy versions: their numbers are never added up/)
})

test('all dimensions and long values still fit', () => {
  const long = {
    ...row,
    product: 'a'.repeat(32),
    plans: 'audiobooks,music,paid_assistant,prime,security',
    strict_quality: 'wide' as const,
  }
  const text = printShare(
    report([long, { ...long, taxonomy_version: 2 }, hidden], ['product', 'cohort_month', 'country', 'plans', 'day']),
  )
  for (const line of text.split('\n')) {
    assert.ok(line.length <= tableColumnsMax, `${line.length}: ${line}`)
  }
  assert.match(text, /1,234,567 +20,145/)
})

test('JSON is one document with window, parameters and rows, and null for what is hidden', () => {
  const document = JSON.parse(printShare(report([hidden]), 'json')) as {
    rows: { requests: unknown; suppressed: unknown; taxonomy_version: number }[]
  }
  assert.deepEqual(Object.keys(document), ['report', 'window', 'parameters', 'rows'])
  assert.equal(document.rows[0]?.requests, null)
  assert.equal(document.rows[0].suppressed, true)
  assert.equal(document.rows[0].taxonomy_version, 1)
})

test('CSV names the dimensions asked for and leaves hidden figures empty', () => {
  const [head, line] = printShare(report([hidden], ['product', 'day']), 'csv').split('\r\n')
  assert.match(head!, /^product,day,taxonomy_version,requests,households,strict_share/)
  assert.equal(line, 'ring,2026-03-31,1,,,,,,,,,,,true')
})

const audit: AuditedSample = {
  ...{ audit: 'spring', drawn: 'random', loadedAt: '2026-03-01 10:00:00.000', taxonomyVersion: 1, events: 2_000 },
  strict: { said: 100, called: 110, both: 90 },
  broad: { said: 600, called: 620, both: 590 },
}

test('corrected shares stand beside the raw ones, and the legend says by what and what is assumed', () => {
  const text = printShare(report([row, hidden]), 'table', [audit])
  assert.match(text, /product +requests +households +strict +corrected +broad +corrected\n/)
  assert.match(text, /^ring +hidden +hidden$/m)
  assert.match(text, /^corrected: strict and broad by audit spring of 2,000 events, random$/m)
  assert.match(
    text,
    /everybody, so it is assumed that in each cell\n {2}- random: sensitivity and specificity of the classifier are the same\n/,
  )
  assert.doesNotMatch(text, /by label/)
  for (const line of text.split('\n')) {
    assert.ok(line.length <= tableColumnsMax, `${line.length}: ${line}`)
  }
  const byLabel = printShare(report([row]), 'table', [{ ...audit, drawn: 'by-broad-label' }])
  assert.match(byLabel, /households +strict +broad +corrected\n/)
  assert.match(byLabel, /^corrected: broad by audit spring .*, by-broad-label$/m)
  assert.match(byLabel, /in each cell\n {2}- by label: of those called so, and of the others, the same part is so\n/)
})

test('JSON and CSV hold the corrected figures after the others, nothing of what is hidden, and the audit', () => {
  const document = JSON.parse(printShare(report([row, hidden]), 'json', [audit])) as {
    audits: { audit: string; corrects: string[] }[]
    rows: Record<string, number | null>[]
  }
  assert.deepEqual(
    document.audits.map(({ audit, corrects }) => [audit, corrects]),
    [['spring', ['strict', 'broad']]],
  )
  const [shown, nothing] = document.rows
  assert.ok(shown!['strict_corrected_low']! < shown!['strict_corrected']!)
  assert.ok(shown!['broad_corrected']! < shown!['broad_corrected_high']!)
  assert.deepEqual([nothing!['strict_corrected'], nothing!['broad_corrected_high']], [null, null])
  const [head, first, second] = printShare(report([row, hidden]), 'csv', [
    { ...audit, drawn: 'by-strict-label' },
  ]).split('\r\n')
  assert.match(head!, /,suppressed,strict_corrected,strict_corrected_low,strict_corrected_high$/)
  assert.match(first!, /,false,0\.0\d+,0\.0\d+,0\.0\d+$/)
  assert.match(second!, /,true,,,$/)
})

test('an audit of another taxonomy changes nothing', () => {
  for (const format of ['table', 'json', 'csv'] as const) {
    assert.equal(
      printShare(report([row]), format, [{ ...audit, taxonomyVersion: 2 }]),
      printShare(report([row]), format),
    )
  }
})
