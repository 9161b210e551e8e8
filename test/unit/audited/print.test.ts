import assert from 'node:assert/strict'
import { test } from 'node:test'

import { printFaults, printLoading, printSamples } from '../../../services/audited/print.ts'
import type { AuditedSample } from '../../../services/shared/domain/audited-sample.ts'
import { tableColumnsMax } from '../../../services/shared/io/render.ts'

const sample: AuditedSample = {
  ...{ audit: 'spring', drawn: 'random', loadedAt: '2026-03-01 10:00:00.000', taxonomyVersion: 1, events: 1_000 },
  strict: { said: 50, called: 60, both: 45 },
  broad: { said: 300, called: 320, both: 290 },
}

test('lists audits with what they are used for', () => {
  assert.equal(
    printSamples([{ ...sample, audit: 'summer', drawn: 'by-strict-label' }, sample], 'table'),
    [
      'audit   loaded (UTC)         drawn            by  events  share   people  called  both  used',
      '------  -------------------  ---------------  --  ------  ------  ------  ------  ----  ----',
      'summer  2026-03-01 10:00:00  by-strict-label  v1   1,000  strict      50      60    45  yes',
      '                                                          broad      300     320   290  no',
      'spring  2026-03-01 10:00:00  random           v1   1,000  strict      50      60    45  no',
      '                                                          broad      300     320   290  yes',
      'by: the taxonomy version; people, called, both: monetised by people, by the classifier, by both',
      'used: the latest audit that can correct the share of that version',
      '',
    ].join('\n'),
  )
  const wide = printSamples([{ ...sample, audit: 'x'.repeat(32), drawn: 'by-strict-label', events: 100_000 }], 'table')
  assert.ok(wide.split('\n').every((line) => line.length <= tableColumnsMax))
  const document = JSON.parse(printSamples([sample], 'json')) as { samples: { corrects: string[] }[] }
  assert.deepEqual(document.samples[0]!.corrects, ['strict', 'broad'])
})

test('says what was loaded, what would be, and what was not', () => {
  const loading = { faults: [], events: 1_010, notRequests: 10, samples: [sample] }
  const options = { dryRun: false, format: 'table' } as const
  assert.match(
    printLoading(loading, options),
    /^1,010 events loaded; 10 the classifier calls no request, they are in no share\naudit /,
  )
  assert.match(
    printLoading(loading, { ...options, dryRun: true }),
    /^1,010 events are good, nothing was loaded \(dry run\)/,
  )
  const bad = { ...loading, faults: [{ line: 3, fault: 'wrong' }] }
  assert.equal(printLoading(bad, options), 'nothing was loaded: 1 of the lines are wrong, 1,010 are good\n')
  assert.equal((JSON.parse(printLoading(bad, { ...options, format: 'json' })) as { loaded: boolean }).loaded, false)
})

test('shows the first wrong lines', () => {
  const faults = Array.from({ length: 25 }, (_, index) => ({ line: index + 2, fault: 'wrong' }))
  const lines = printFaults(faults).split('\n')
  assert.deepEqual(
    [lines[0], lines[19], lines[20]],
    ['line 2: wrong', 'line 21: wrong', 'and 5 more; --format json lists them all'],
  )
  assert.equal(printFaults([]), '')
})
