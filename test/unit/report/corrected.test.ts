import assert from 'node:assert/strict'
import { test } from 'node:test'

import { correctedFigures, correctionLegend, correctionsOf } from '../../../services/report/corrected.ts'
import type { AuditedSample } from '../../../services/shared/domain/audited-sample.ts'

const sample: AuditedSample = {
  ...{ audit: 'spring', drawn: 'random', loadedAt: '2026-03-01 10:00:00.000', taxonomyVersion: 1, events: 2_000 },
  strict: { said: 100, called: 110, both: 90 },
  broad: { said: 600, called: 620, both: 590 },
}
const row = {
  ...{ taxonomy_version: 1, strict_share: 0.02, strict_low: 0.018, strict_high: 0.0222 },
  ...{ broad_share: 0.3, broad_low: 0.29, broad_high: 0.31 },
}

test('each taxonomy version is corrected by its own audit', () => {
  const second = { ...sample, audit: 'autumn', taxonomyVersion: 2, drawn: 'by-broad-label' as const }
  const corrections = correctionsOf([row, { ...row, taxonomy_version: 2 }], [second, sample])
  assert.deepEqual(corrections.definitions, ['strict', 'broad'])
  assert.deepEqual(
    corrections.audits.map(({ audit, corrects }) => [audit, corrects]),
    [
      ['autumn', ['broad']],
      ['spring', ['strict', 'broad']],
    ],
  )
  assert.equal(correctedFigures({ ...row, taxonomy_version: 2 }, 'strict', corrections).share, null)
  assert.ok(correctedFigures(row, 'strict', corrections).share! > 0)
  assert.equal(correctionLegend(corrections).length, 5)
})

test('marks an interval of more than half the share', () => {
  const rare = { ...row, strict_share: 0.011, strict_low: 0.01, strict_high: 0.0121 }
  const corrections = correctionsOf([rare], [sample])
  assert.equal(correctedFigures(rare, 'strict', corrections).quality, 'wide')
  assert.equal(correctedFigures(rare, 'broad', corrections).quality, 'ok')
})

test('an audit that corrects nothing, or nothing that is shown, leaves no trace', () => {
  const none = { definitions: [], audits: [] }
  assert.deepEqual(correctionsOf([row], []), none)
  assert.deepEqual(correctionsOf([], [sample]), none)
  assert.deepEqual(correctionsOf([row], [{ ...sample, taxonomyVersion: 2 }]), none)
  assert.deepEqual(correctionLegend(none), [])
})
