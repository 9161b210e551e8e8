import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'

import {
  ACTIVE_SHARE,
  type Buckets,
  createNormal,
  createShareSampler,
  poisson,
  RATE_MEDIAN,
  RATE_SIGMA,
  type ShareModel,
  uniform32,
} from './usage-model.ts'

/**
 * The cohorts of `createUsageModel`, day by day: the same households every day, each active on 60 % of days, so that
 * differences between days are paired as real ones are. Days are drawn as bucket sums, by the same exact shortcut.
 */
export function createDailyUsageModel(seed: number) {
  const random = xoroshiro128plus(seed)
  const uniform = () => uniform32(random)
  const normal = createNormal(uniform)

  function createCohort({
    households,
    share,
    buckets = 64,
  }: {
    households: number
    share: ShareModel
    buckets?: number
  }) {
    const drawShare = createShareSampler(share, uniform, normal)
    const drawRate = () => RATE_MEDIAN * Math.exp(RATE_SIGMA * normal())
    const cohort: Cohort = {
      rates: Float64Array.from({ length: households }, drawRate),
      usage: new Float64Array(households).fill(1),
      shares: Float64Array.from({ length: households }, drawShare),
      buckets: Uint8Array.from({ length: households }, () => random.next() & (buckets - 1)),
      logUsage: new Float64Array(households),
      drawRate,
      drawShare,
    }
    return cohort
  }

  function drawDay(cohort: Cohort, into: Buckets, { shareFactor = 1, usageFactor = 1 }: DayFactors = {}) {
    const { rates, usage, shares, buckets } = cohort
    const { requests, monetised } = into
    requests.fill(0)
    monetised.fill(0)
    for (let h = 0; h < rates.length; h++) {
      if (random.next() >>> 0 > ACTIVE_LIMIT) continue
      const expected = rates[h]! * usage[h]!
      requests[buckets[h]!]! += expected
      monetised[buckets[h]!]! += expected * shares[h]!
    }
    for (let b = 0; b < requests.length; b++) {
      const all = requests[b]! * usageFactor
      const counted = Math.min(all, monetised[b]! * usageFactor * shareFactor)
      monetised[b] = poisson(random, counted)
      requests[b] = poisson(random, all - counted) + monetised[b]!
    }
  }

  /** One day of slow change: use that wanders and returns (AR(1) in its logarithm), new tastes, and households that go. */
  function age(cohort: Cohort, { usageSd = 0.5, usageMemory = 0.9, tasteChange = 0.02, churn = 0.003 } = {}) {
    const step = usageSd * Math.sqrt(1 - usageMemory ** 2)
    for (let h = 0; h < cohort.rates.length; h++) {
      cohort.logUsage[h] = usageMemory * cohort.logUsage[h]! + step * normal()
      // The mean use of a household stays what its rate says.
      cohort.usage[h] = Math.exp(cohort.logUsage[h]! - usageSd ** 2 / 2)
      const chance = uniform()
      if (chance < churn) cohort.rates[h] = cohort.drawRate()
      if (chance < churn + tasteChange) cohort.shares[h] = cohort.drawShare()
    }
  }

  return { createCohort, drawDay, age, normal, random }
}

export interface Cohort {
  /** Requests on an active day. */
  rates: Float64Array
  /** Factor on the rate, 1 on average. */
  usage: Float64Array
  shares: Float64Array
  buckets: Uint8Array
  logUsage: Float64Array
  drawRate: () => number
  drawShare: () => number
}

export interface DayFactors {
  shareFactor?: number
  usageFactor?: number
}

const ACTIVE_LIMIT = ACTIVE_SHARE * 2 ** 32
