import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { differenceLimits } from '../../../services/replay/difference-interval.ts'
import { pairedDifference } from '../../../services/shared/domain/stats/paired-difference.ts'
import { diffCoverage } from '../../statistics/replay-diff.ts'
import { STRICT } from '../../support/usage-model.ts'

const seed = 20_261_123

/** Per bucket: requests that stay as they are, of them monetised, that become monetised, that stop to be, that leave. */
const anyBuckets = fc.array(
  fc.record({
    free: fc.nat(50),
    monetised: fc.nat(20),
    gained: fc.nat(10),
    lost: fc.nat(10),
    left: fc.nat(10),
  }),
  { minLength: 3, maxLength: 64 },
)

test('holds the difference, within -1 and 1', () => {
  fc.assert(
    fc.property(anyBuckets, (buckets) => {
      const sum = (of: (bucket: (typeof buckets)[number]) => number) => buckets.map(of)
      const before = {
        requests: sum((b) => b.free + b.monetised + b.gained + b.lost + b.left),
        monetised: sum((b) => b.monetised + b.lost),
      }
      const after = {
        requests: sum((b) => b.free + b.monetised + b.gained + b.lost),
        monetised: sum((b) => b.monetised + b.gained),
      }
      const total = (values: number[]) => values.reduce((a, b) => a + b, 0)
      fc.pre(total(after.requests) > 0)
      const share =
        (total(before.monetised) / total(before.requests) + total(after.monetised) / total(after.requests)) / 2
      const limits = differenceLimits(before, after, [
        { requests: total(sum((b) => b.gained)), weight: 1 },
        { requests: total(sum((b) => b.lost)), weight: -1 },
        { requests: total(sum((b) => b.left)), weight: share },
      ])
      const paired = pairedDifference(after, [before], { dayShocks: false })!
      if (limits === null) {
        assert.equal(paired.low, null)
        return
      }
      const { low, high } = limits
      assert.ok(low <= paired.difference + 1e-12 && paired.difference <= high + 1e-12, `${low} ${high}`)
      assert.ok(low >= -1 && high <= 1)
    }),
  )
})

test('is null where nobody asks', () => {
  const none = { requests: [0, 0, 0], monetised: [0, 0, 0] }
  assert.equal(differenceLimits(none, none, []), null)
})

test('covers where few households are behind the difference', () => {
  for (const [households, become] of [
    [300, 'monetised'],
    [2_000, 'no request'],
    [2_000, 'either'],
  ] as const) {
    const { coverage } = diffCoverage({ households, moved: STRICT[0.01], become }, { draws: 500, seed })
    // Asked for: 93 %. Of 500 draws, three standard errors are 3.
    assert.ok(coverage > 90, `${coverage.toFixed(1)} % of ${households} households, ${become}`)
  }
})
