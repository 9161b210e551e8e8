import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'

import { parse } from 'csv-parse/sync'

import { slurpCounts } from '../../../services/producer/slurp-counts.ts'
import { slurpMissing, slurpPath } from '../../support/slurp.ts'

test('the weights of intents are the counts in the real file', { skip: slurpMissing() }, () => {
  const rows: { scenario: string; intent: string }[] = parse(readFileSync(slurpPath), { columns: true })
  const counted: Record<string, Record<string, number>> = {}
  for (const { scenario, intent } of rows) {
    const intents = (counted[scenario] ??= {})
    intents[intent] = (intents[intent] ?? 0) + 1
  }
  assert.equal(rows.length, 5_007)
  assert.deepEqual(counted, slurpCounts)
})
