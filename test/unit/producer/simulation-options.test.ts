import assert from 'node:assert/strict'
import { test } from 'node:test'

import { parseImportFlags } from '../../../services/producer/import-options.ts'
import { dayName, parseSimulationFlags } from '../../../services/producer/simulation-options.ts'

const now = Date.parse('2026-03-31T10:00:00Z')

test('without flags two weeks of 2,000 households end yesterday, with a seed drawn', () => {
  const options = parseSimulationFlags({}, now)
  assert.deepEqual(
    { ...options, seed: 0 },
    {
      seed: 0,
      firstDay: options.firstDay,
      days: 14,
      size: { households: 2_000 },
      ratePerSecond: 0,
      liveEventsMax: 0,
      duplicatesShare: 0,
      malformedShare: 0,
      schemaVersion: 2,
      format: 'table',
    },
  )
  assert.equal(dayName(options.firstDay), '2026-03-17')
  assert.ok(Number.isInteger(options.seed))
})

test('typed text becomes numbers', () => {
  const options = parseSimulationFlags({ events: '300000', seed: '7', duplicates: '0.01', until: '2026-03-10' }, now)
  assert.deepEqual(options.size, { events: 300_000 })
  assert.equal(options.seed, 7)
  assert.equal(options.duplicatesShare, 0.01)
  assert.equal(dayName(options.firstDay), '2026-02-25')
})

test('with a rate the events are a bound of live mode, and the population has its own size', () => {
  const options = parseSimulationFlags({ rate: '50', events: '1000', households: '300' }, now)
  assert.deepEqual(options.size, { households: 300 })
  assert.equal(options.liveEventsMax, 1_000)
  assert.equal(parseSimulationFlags({ rate: '50' }, now).liveEventsMax, Infinity)
})

const mistakes: [string, object, RegExp][] = [
  [
    'several at once',
    { events: '0', malformed: '2' },
    /^simulate: --events must be at least 1; --malformed must be from 0 to 1$/,
  ],
  ['not a number', { days: 'many' }, /--days/],
  ['an unknown schema version', { schemaVersion: '3' }, /--schema-version must be 1, 2 or mixed/],
  ['both sizes', { events: '10', households: '10' }, /--events or --households, not both/],
  ['today', { until: '2026-03-31' }, /--until must be a past day \(UTC\), 2026-03-30 at the latest/],
  ['no day of the calendar', { until: '2026-02-30' }, /--until must be a day of the calendar/],
  ['a year too far back', { until: '2025-01-01' }, /the first day would be 2024-12-19/],
  ['an unknown flag', { speed: '1' }, /--speed is unknown/],
]
for (const [name, flags, message] of mistakes) {
  test(`refuses ${name} in one sentence`, () => {
    assert.throws(() => parseSimulationFlags(flags, now), { name: 'PipelineError', code: 'usage_invalid', message })
  })
}

test('an import without mapping is NDJSON, and its bad lines go beside the file', () => {
  const settings = parseImportFlags('day.ndjson.gz', {}, now)
  assert.equal(settings.rejectsPath, 'day.ndjson.gz.rejected.ndjson')
  assert.equal(settings.mapping, undefined)
  assert.equal(parseImportFlags('-', {}, now).rejectsPath, 'stdin.rejected.ndjson')
})

test('a CSV file without mapping is refused with what to do', () => {
  assert.throws(() => parseImportFlags('rows.csv', {}, now), { message: /needs --mapping/ })
})
