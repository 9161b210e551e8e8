import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type BucketSums,
  effectiveRequestsOf,
  shareBounds,
  shareInterval,
  wilson,
} from '../../../../services/shared/domain/share-interval.ts'
import { NORMAL_QUANTILE, studentT } from '../../../../services/shared/domain/student-t.ts'
import {
  broad,
  createUsageModel,
  emptyBuckets,
  type ShareModel,
  STRICT,
  trueShare,
} from '../../../support/usage-model.ts'
import { shareVectors } from '../../../support/share-vectors.ts'

const fill = (buckets: number, at: (index: number) => number) =>
  Array.from({ length: buckets }, (_, index) => at(index))

for (const { name, requests, monetised, share, low, high } of shareVectors) {
  test(`equals the reference vector to 1e-6: ${name}`, () => {
    const bounds = shareBounds({ requests, monetised })
    assertClose(bounds.share, share)
    assertClose(bounds.low, low)
    assertClose(bounds.high, high)
  })
}

test('gives the same bounds whether empty buckets are left out, at the end or between the others', () => {
  const expected = shareBounds({ requests: [10, 20, 30], monetised: [1, 0, 9] })
  assert.deepEqual(shareBounds({ requests: [10, 20, 30, 0, 0], monetised: [1, 0, 9, 0, 0] }), expected)
  assert.deepEqual(shareBounds({ requests: [10, 0, 20, 0, 30], monetised: [1, 0, 0, 0, 9] }), expected)
})

test('has no share without requests', () => {
  const interval = shareInterval({ requests: [0, 0], monetised: [0, 0] })
  assert.deepEqual(pick(interval), { share: null, low: null, high: null, quality: 'insufficient' })
})

test('shows the share but no bounds below three buckets with requests', () => {
  const interval = shareInterval({ requests: [40, 0, 60], monetised: [10, 0, 10] })
  assert.deepEqual(pick(interval), { share: 0.2, low: null, high: null, quality: 'insufficient' })
  assert.equal(interval.bucketsWithRequests, 2)
  assert.notEqual(shareInterval({ requests: [40, 1, 60], monetised: [10, 0, 10] }).high, null)
})

test('shows only the upper bound when fewer than three households contribute', () => {
  const requests = fill(64, () => 100)
  const oneBuyer = shareInterval({ requests, monetised: fill(64, (i) => (i === 5 ? 60 : 0)) })
  assert.ok(oneBuyer.contributingHouseholds < 3)
  assert.equal(oneBuyer.low, null)
  assert.ok(oneBuyer.high! > oneBuyer.share!)
  assert.equal(oneBuyer.quality, 'insufficient')

  const fourBuyers = shareInterval({ requests, monetised: fill(64, (i) => (i % 16 === 5 ? 60 : 0)) })
  assert.ok(fourBuyers.contributingHouseholds > 3)
  assert.ok(fourBuyers.low! < fourBuyers.share!)
})

test('marks an interval as wide when its half-width is above half of the share', () => {
  const requests = fill(64, () => 100)
  const rare = shareInterval({ requests, monetised: fill(64, (i) => (i % 16 === 5 ? 60 : 0)) })
  assert.equal(rare.quality, 'wide')
  assert.ok((rare.high! - rare.low!) / 2 > 0.5 * rare.share!)
  const common = shareInterval({ requests, monetised: fill(64, (i) => 20 + ((7 * i) % 21)) })
  assert.equal(common.quality, 'ok')
})

test('takes buckets that all have the same spread for the full degrees of freedom', () => {
  const { degreesOfFreedom } = shareBounds({ requests: fill(64, () => 7), monetised: fill(64, (i) => 2 + (i % 2)) })
  assert.equal(degreesOfFreedom, 63)
  assert.equal(shareBounds({ requests: [10, 20, 30], monetised: [3, 6, 9] }).degreesOfFreedom, 2)
})

test('is wider at a higher confidence', () => {
  const sums = { requests: fill(64, () => 100), monetised: fill(64, (i) => 20 + ((7 * i) % 21)) }
  const widths = ([0.9, 0.95, 0.99] as const).map((confidence) => {
    const { low, high } = shareBounds(sums, { confidence })
    return high! - low!
  })
  assert.ok(widths[0]! < widths[1]! && widths[1]! < widths[2]!)
})

test('refuses sums that no table can hold', () => {
  assert.throws(() => shareBounds({ requests: [1, 2], monetised: [1, 3] }), /bucket 1 has 3 monetised requests of 2/)
  assert.throws(() => shareBounds({ requests: [1, 2], monetised: [1] }), /same number/)
  assert.throws(() => shareBounds({ requests: fill(65, () => 1), monetised: fill(65, () => 0) }), /at most 64/)
})

const anySums: fc.Arbitrary<BucketSums> = fc
  .array(
    fc.tuple(
      fc.oneof(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 1e9 })),
      fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true })),
    ),
    { maxLength: 64 },
  )
  .map((pairs) => ({ requests: pairs.map(([x]) => x), monetised: pairs.map(([x, part]) => Math.floor(x * part)) }))

test('the bounds are numbers within [0, 1] and around the share, whatever the sums', () => {
  fc.assert(
    fc.property(anySums, (sums) => {
      const { share, low, high } = shareBounds(sums)
      if (low === null || high === null) return
      assert.ok(low >= 0 && high <= 1, `${low} to ${high}`)
      assert.ok(low <= share! + 1e-12 && share! - 1e-12 <= high, `${share} outside ${low} to ${high}`)
    }),
    { numRuns: 3_000 },
  )
})

test('the share of the other requests has the mirrored interval', () => {
  fc.assert(
    fc.property(anySums, ({ requests, monetised }) => {
      const others = Array.from(requests, (x, b) => x - monetised[b]!)
      const a = shareBounds({ requests, monetised })
      const b = shareBounds({ requests, monetised: others })
      if (a.low === null) return assert.equal(b.low, null)
      assert.ok(Math.abs(a.low - (1 - b.high!)) < 1e-6 && Math.abs(a.high! - (1 - b.low!)) < 1e-6)
    }),
  )
})

/*
 * Coverage: how often the interval holds the true share, over 2,000 seeded draws of whole cohorts per cell. The cells:
 * - cohorts of 11 to 10,000 households, from too small for any textbook interval up to where all of them work;
 * - windows of 1 and 7 days (28 days bring no new households, only more of their requests);
 * - broad 30 %, its extremes of 20 and 50 % where the demand is strictest (300), strict 0.5, 1 and 2 %.
 * The standard error of a coverage near 95 % over 2,000 draws is 0.5 points. Bounds are taken before masking: what is
 * hidden must hold as well. `wald` and `wilson` are the textbook intervals on requests, for the contrast.
 */
const DRAWS = 2_000
const SEED = 20_260
const cells: [name: string, model: ShareModel, households: number, days: number, least: number, most: number][] = [
  ['broad 30 %', broad(0.3), 11, 1, 92.5, 100],
  ['broad 30 %', broad(0.3), 30, 1, 92.5, 100],
  ['broad 30 %', broad(0.3), 100, 1, 92.5, 100],
  ['broad 30 %', broad(0.3), 100, 7, 92.5, 100],
  ['broad 20 %', broad(0.2), 300, 1, 93, 97],
  ['broad 30 %', broad(0.3), 300, 1, 93, 97],
  ['broad 50 %', broad(0.5), 300, 1, 93, 97],
  ['broad 30 %', broad(0.3), 300, 7, 93, 97],
  ['broad 30 %', broad(0.3), 1_000, 1, 93, 97],
  ['broad 30 %', broad(0.3), 1_000, 7, 93, 97],
  ['broad 30 %', broad(0.3), 3_000, 1, 93, 97],
  ['strict 1 %', STRICT[0.01], 11, 1, 92.5, 100],
  ['strict 1 %', STRICT[0.01], 100, 1, 92.5, 100],
  ['strict 1 %', STRICT[0.01], 100, 7, 92.5, 100],
  ['strict 1 %', STRICT[0.01], 1_000, 1, 92.5, 100],
  ['strict 1 %', STRICT[0.01], 1_000, 7, 92.5, 100],
  ['strict 0.5 %', STRICT[0.005], 10_000, 1, 93, 97],
  ['strict 1 %', STRICT[0.01], 10_000, 1, 93, 97],
  ['strict 1 %', STRICT[0.01], 10_000, 7, 93, 97],
  ['strict 2 %', STRICT[0.02], 10_000, 7, 93, 97],
]

for (const [name, model, households, days, least, most] of cells) {
  test(`covers ${least} to ${most} % for ${name} of ${households} households in ${days} days`, (t) => {
    const covered = coverage(model, households, days)
    t.diagnostic(
      `seed ${SEED}: recommended ${covered.recommended.toFixed(1)} %, wald ${covered.wald.toFixed(1)} %, ` +
        `wilson ${covered.wilson.toFixed(1)} % of ${covered.draws} draws`,
    )
    // A draw has no bounds when nobody, or households of one or two buckets alone, were active: only in the tiniest cohorts.
    assert.ok(covered.draws >= 0.95 * DRAWS, `only ${covered.draws} draws have bounds`)
    assert.ok(covered.recommended >= least && covered.recommended <= most, `${covered.recommended} % (seed ${SEED})`)
    if (households >= 100)
      assert.ok(covered.wald < 50 && covered.wilson < 50, 'the naive interval should cover far less')
  })
}

test('the model behind the coverage has the use and the shares that it states', () => {
  const model = createUsageModel(SEED)
  const into = emptyBuckets()
  for (const share of [broad(0.3), STRICT[0.01]]) {
    let requests = 0
    let monetised = 0
    for (let draw = 0; draw < 20; draw++) {
      model.drawCohort({ households: 10_000, days: 7, share }, into)
      requests += sum(into.requests)
      monetised += sum(into.monetised)
    }
    // Mean of the log-normal rate, 10 exp(1.297^2 / 2), on 60 % of 7 days; its standard error here is 0.05.
    assert.ok(Math.abs(requests / 200_000 / 7 / 0.6 - 23.2) < 0.3)
    // About 6,000 buyers in all: a standard error of 3 % of the strict share.
    assert.ok(Math.abs(monetised / requests / trueShare(share) - 1) < 0.1)
  }
})

test('the requests behind an interval are those it was made of, less by what t is wider than the normal quantile', () => {
  const z = NORMAL_QUANTILE[0.95]
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 1, max: 1e7, noNaN: true }),
      fc.double({ min: 2, max: 63, noNaN: true }),
      (share, n, df) => {
        const t = studentT(df)
        const found = effectiveRequestsOf({ share, ...wilson(share, n, t) })
        const expected = (n * z * z) / (t * t)
        assert.ok(Math.abs(found / expected - 1) < 1e-6, `${found} instead of ${expected} at ${share}`)
      },
    ),
  )
})

function coverage(model: ShareModel, households: number, days: number) {
  const truth = trueShare(model)
  const { drawCohort } = createUsageModel(SEED)
  const into = emptyBuckets()
  const z = NORMAL_QUANTILE[0.95]
  const hits = { recommended: 0, wald: 0, wilson: 0 }
  let draws = 0
  for (let draw = 0; draw < DRAWS; draw++) {
    drawCohort({ households, days, share: model }, into)
    const { share, low, high } = shareBounds(into)
    if (share === null || low === null || high === null) continue
    draws++
    assert.ok(low >= 0 && high <= 1, `${low} to ${high} in draw ${draw}`)
    const requests = sum(into.requests)
    const naive = wilson(share, requests, z)
    if (low <= truth && truth <= high) hits.recommended++
    if (Math.abs(share - truth) <= z * Math.sqrt((share * (1 - share)) / requests)) hits.wald++
    if (naive.low <= truth && truth <= naive.high) hits.wilson++
  }
  const percent = (count: number) => (100 * count) / draws
  return { draws, recommended: percent(hits.recommended), wald: percent(hits.wald), wilson: percent(hits.wilson) }
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0)
}

function pick({ share, low, high, quality }: ReturnType<typeof shareInterval>) {
  return { share, low, high, quality }
}

function assertClose(actual: number | null, expected: number): void {
  assert.ok(actual !== null && Math.abs(actual - expected) < 1e-6, `${actual} instead of ${expected}`)
}
