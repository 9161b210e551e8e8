import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator'

/**
 * A seeded cohort of households with a known true share, drawn straight into bucket sums.
 *
 * The model that the interval is held to: a household's requests per active day are Poisson around a rate of its own,
 * log-normal with median 10 and sigma 1.297 (mean 23.2); it is active on 60 % of days; its own share of monetised
 * requests stays the same all the time, which is the worst case for an interval. Use and share are independent, so the
 * true share of requests is the mean of the households' shares.
 *
 * What makes it fast without an approximation: given rates, days and shares, the requests of a bucket's households add
 * up to one Poisson number for the monetised and an independent one for the rest (superposition and thinning), so a
 * draw needs two Poisson numbers a bucket and none a household.
 */
export function createUsageModel(seed: number) {
  const random = xoroshiro128plus(seed)
  const uniform = () => uniform32(random)
  const normal = createNormal(uniform)

  function drawCohort(
    { households, days, share }: { households: number; days: number; share: ShareModel },
    into: Buckets,
  ) {
    const activeDays = binomialQuantiles(days, ACTIVE_SHARE)
    const drawShare = createShareSampler(share, uniform, normal)
    const { requests, monetised } = into
    requests.fill(0)
    monetised.fill(0)
    for (let h = 0; h < households; h++) {
      const active = activeDays[random.next() & (QUANTILES - 1)]!
      if (active === 0) continue
      const bucket = random.next() & (into.requests.length - 1)
      const expected = active * RATE_MEDIAN * Math.exp(RATE_SIGMA * normal())
      const monetisedExpected = expected * drawShare()
      monetised[bucket]! += monetisedExpected
      requests[bucket]! += expected - monetisedExpected
    }
    for (let b = 0; b < requests.length; b++) {
      monetised[b] = poisson(random, monetised[b]!)
      requests[b] = poisson(random, requests[b]!) + monetised[b]!
    }
  }

  return { drawCohort }
}

export interface Buckets {
  requests: Float64Array
  monetised: Float64Array
}

/** Empty sums; the number of buckets must be a power of two. */
export function emptyBuckets(buckets = 64): Buckets {
  return { requests: new Float64Array(buckets), monetised: new Float64Array(buckets) }
}

/** How the households' own shares are spread: a part of them has one from Beta(a, b), all others none. */
export interface ShareModel {
  contributing: number
  a: number
  b: number
}

/** 2, 3 and 5 % of households ever buy by voice: strict shares of 0.5, 1 and 2 %. */
export const STRICT: Readonly<Record<0.005 | 0.01 | 0.02, ShareModel>> = {
  0.005: { contributing: 0.02, a: 1, b: 3 },
  0.01: { contributing: 0.03, a: 1, b: 2 },
  0.02: { contributing: 0.05, a: 1, b: 1.5 },
}

/** Everybody has some use of the broad kind, with a spread between households that is near to all or nothing. */
export function broad(share: number): ShareModel {
  return { contributing: 1, a: 3 * share, b: 3 * (1 - share) }
}

export function trueShare({ contributing, a, b }: ShareModel): number {
  return (contributing * a) / (a + b)
}

export const ACTIVE_SHARE = 0.6
export const RATE_MEDIAN = 10
export const RATE_SIGMA = 1.297
const QUANTILES = 4096

export const uniform32 = (random: RandomGenerator) => ((random.next() >>> 0) + 0.5) / 2 ** 32

export function createShareSampler({ contributing, a, b }: ShareModel, uniform: () => number, normal: () => number) {
  // Beta(1, b) has a closed inverse; others are a ratio of gammas.
  const beta =
    a === 1
      ? () => 1 - uniform() ** (1 / b)
      : () => {
          const u = gamma(a, uniform, normal)
          return u / (u + gamma(b, uniform, normal))
        }
  return () => (contributing === 1 || uniform() < contributing ? beta() : 0)
}

/** Marsaglia's polar method: two normals for two uniforms and no sine. */
export function createNormal(uniform: () => number) {
  let spare = Number.NaN
  return () => {
    if (!Number.isNaN(spare)) {
      const value = spare
      spare = Number.NaN
      return value
    }
    let u: number, v: number, s: number
    do {
      u = 2 * uniform() - 1
      v = 2 * uniform() - 1
      s = u * u + v * v
    } while (s >= 1)
    const scale = Math.sqrt((-2 * Math.log(s)) / s)
    spare = v * scale
    return u * scale
  }
}

/** Marsaglia & Tsang (2000), with their boost for shapes below 1. */
function gamma(shape: number, uniform: () => number, normal: () => number): number {
  if (shape < 1) return gamma(shape + 1, uniform, normal) * uniform() ** (1 / shape)
  const d = shape - 1 / 3
  const c = 1 / Math.sqrt(9 * d)
  for (;;) {
    const x = normal()
    const v = (1 + c * x) ** 3
    if (v > 0 && Math.log(uniform()) < (x * x) / 2 + d - d * v + d * Math.log(v)) return d * v
  }
}

/** Knuth's product of uniforms for small means, Hörmann's PTRS (1993) for the others; both exact. */
export function poisson(random: RandomGenerator, mean: number): number {
  if (mean === 0) return 0
  if (mean < 10) {
    const limit = Math.exp(-mean)
    let count = 0
    for (let product = uniformFloat64(random); product > limit; product *= uniformFloat64(random)) count++
    return count
  }
  const b = 0.931 + 2.53 * Math.sqrt(mean)
  const a = -0.059 + 0.02483 * b
  const inverseAlpha = 1.1239 + 1.1328 / (b - 3.4)
  const squeeze = 0.9277 - 3.6224 / (b - 2)
  const logMean = Math.log(mean)
  for (;;) {
    const u = uniformFloat64(random) - 0.5
    const v = uniformFloat64(random)
    const us = 0.5 - Math.abs(u)
    const k = Math.floor(((2 * a) / us + b) * u + mean + 0.43)
    if (us >= 0.07 && v <= squeeze) return k
    if (k < 0 || (us < 0.013 && v > us)) continue
    if (Math.log((v * inverseAlpha) / (a / (us * us) + b)) <= k * logMean - mean - logFactorial(k)) return k
  }
}

/** Stirling's series from 10 on (error below 1e-9), a table before. */
function logFactorial(k: number): number {
  if (k < LOG_FACTORIALS.length) return LOG_FACTORIALS[k]!
  const n = k + 1
  return (
    (n - 0.5) * Math.log(n) - n + 0.5 * Math.log(2 * Math.PI) + 1 / (12 * n) - 1 / (360 * n ** 3) + 1 / (1260 * n ** 5)
  )
}

const LOG_FACTORIALS = [0, 0]
for (let k = 2; k < 10; k++) LOG_FACTORIALS.push(LOG_FACTORIALS[k - 1]! + Math.log(k))

/** Binomial numbers laid out so that a uniform index draws one; a cell of 1/4096 is finer than a coverage can show. */
function binomialQuantiles(trials: number, p: number): Uint8Array {
  const table = new Uint8Array(QUANTILES)
  let probability = (1 - p) ** trials
  let cumulative = 0
  for (let k = 0, from = 0; k <= trials; k++) {
    cumulative += probability
    const to = k === trials ? QUANTILES : Math.round(cumulative * QUANTILES)
    table.fill(k, from, to)
    from = to
    probability *= ((trials - k) / (k + 1)) * (p / (1 - p))
  }
  return table
}
