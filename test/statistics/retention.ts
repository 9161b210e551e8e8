import { binomial, resampleCohort } from '../../services/shared/domain/stats/cohort-resample.ts'
import { percentileInterval } from '../../services/shared/domain/stats/percentile-interval.ts'
import {
  discountedLifetime,
  fitRetention,
  survival,
  type ShiftedBetaGeometric,
} from '../../services/shared/domain/stats/shifted-beta-geometric.ts'
import { whyNoIntervals } from '../../services/impact/bootstrap.ts'
import { createRandom } from '../support/random-usage.ts'

export interface RetentionScenario {
  /** The truth that cohorts are drawn from. */
  truth: ShiftedBetaGeometric
  customers: number
  /** Renewals that are observed. */
  months: number
  horizonMonths: number
}

const MONTHLY_DISCOUNT = 1.1 ** (1 / 12) - 1

/** How often the 95 % bootstrap interval holds the truth, in per cent of the draws, by what is forecast. */
export function retentionCoverage(
  { truth, customers, months, horizonMonths }: RetentionScenario,
  { draws, resamples, seed }: { draws: number; resamples: number; seed: number },
) {
  const random = createRandom(seed)
  const figures = (of: ShiftedBetaGeometric) => {
    const parts = survival(of, horizonMonths)
    return [
      parts[horizonMonths]!,
      parts.subarray(0, horizonMonths).reduce((sum, part) => sum + part, 0),
      discountedLifetime(of, MONTHLY_DISCOUNT),
    ]
  }
  const truths = figures(truth)
  const alive = survival(truth, months)
  const covered = [0, 0, 0]
  const widths: number[][] = [[], [], []]
  let without = 0
  for (let draw = 0; draw < draws; draw++) {
    const cohort = [customers]
    for (let month = 1; month <= months; month++)
      cohort.push(binomial(cohort[month - 1]!, alive[month]! / alive[month - 1]!, random))
    const fit = fitRetention(cohort)
    if (whyNoIntervals({ alive: cohort, customers }, fit) !== null) {
      without++
      continue
    }
    const drawn = Array.from({ length: resamples }, () =>
      figures(fitRetention(resampleCohort(cohort, customers, random))),
    )
    truths.forEach((value, figure) => {
      const { low, high } = percentileInterval(drawn.map((one) => one[figure]!))
      if (low <= value && value <= high) covered[figure]!++
      widths[figure]!.push((high - low) / 2 / value)
    })
  }
  const counted = draws - without
  const median = (of: number[]) => of.sort((a, b) => a - b)[of.length >> 1]!
  const [atEnd, overHorizon, lifetime] = covered.map((count, figure) => ({
    coverage: counted === 0 ? NaN : (100 * count) / counted,
    relativeHalfWidth: counted === 0 ? NaN : 100 * median(widths[figure]!),
  }))
  return { atEnd: atEnd!, overHorizon: overHorizon!, lifetime: lifetime!, without: (100 * without) / draws }
}
