import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { CohortWindow } from '../../../services/alerts/inputs.ts'
import { judge } from '../../../services/alerts/judge.ts'
import { holds } from '../../../services/alerts/state.ts'
import { makeRule } from '../../support/alert-rules.ts'

/** 64 buckets of 20 households that ask about so often a day. */
function asking(times: number): CohortWindow {
  const requests = new Array<number>(64).fill(20)
  const monetised = requests.map((households, bucket) => Math.round(households * times * (0.9 + 0.2 * (bucket / 63))))
  const total = { requests, monetised }
  return { households: 1_280, requests: 1_280, total, byMix: new Map([['', total]]) }
}

for (const [limit, times, side, fires] of [
  [7.5, 3, 'below', true],
  [7.5, 3, 'above', false],
  [8, 3, 'below', true],
  [20, 10, 'below', true],
  [2, 10, 'above', true],
  [10_000, 3, 'above', false],
  [0.5, 3, 'below', false],
] as const) {
  test(`${times} requests per household ${fires ? 'are' : 'are not'} surely ${side} ${limit}`, () => {
    const condition = { kind: 'threshold', side, value: limit } as const
    const rule = makeRule({ measure: 'requests_per_household', condition, minimumRequests: 0 })
    const finding = judge(rule, asking(times), [])
    assert.ok(finding.pValue !== null && finding.pValue >= 0 && finding.pValue <= 1, `p-value ${finding.pValue}`)
    assert.equal(holds(rule, finding, finding.pValue), fires)
  })
}
