import { resampleCohort } from '../shared/domain/stats/cohort-resample.ts'
import type { Interval } from '../shared/domain/stats/newcombe.ts'
import { percentileInterval } from '../shared/domain/stats/percentile-interval.ts'
import { fitRetention, type RetentionFit } from '../shared/domain/stats/shifted-beta-geometric.ts'
import { figureNames, projectPaidTier, type FigureName, type Period, type Projection } from './paid-tier.ts'
import type { ObservedCohort, Scenario } from './scenario.ts'

export const drawsDefault = 2_000
/** With fewer the intervals held the truth too rarely in test/statistics/README.md, or a draw has nothing to fit. */
export const customersMin = 30
export const leftMin = 10

export interface PeriodIntervals {
  readonly paying: Interval
  readonly freeWithPrime: Interval
  readonly revenueMicros: Interval
  readonly costToServeMicros: Interval
  readonly marginMicros: Interval
}

/** 95 %, of what the observed cohort leaves open and nothing else. */
export interface Intervals {
  readonly months: readonly PeriodIntervals[]
  readonly years: readonly PeriodIntervals[]
  readonly figures: Readonly<Record<FigureName, Interval | null>>
}

/**
 * Percentile intervals by drawing the observed cohort anew, fitting it and projecting the scenario under each fit.
 *
 * @param unit uniform in [0, 1)
 */
export function bootstrapPaidTier(
  scenario: Scenario,
  { customers, unit, draws = drawsDefault }: { customers: number; unit: () => number; draws?: number },
): Intervals {
  const { alive } = scenario.retention
  const drawn = Array.from({ length: draws }, () =>
    projectPaidTier(scenario, fitRetention(resampleCohort(alive, customers, unit))),
  )
  const interval = (of: (projection: Projection) => number) => percentileInterval(drawn.map(of))
  const periods = (list: 'months' | 'years') =>
    drawn[0]![list].map((_, at): PeriodIntervals => {
      const ofPeriod = (of: (period: Period) => number | bigint) => interval((one) => Number(of(one[list][at]!)))
      return {
        paying: ofPeriod(({ paying, onTrial }) => paying + onTrial),
        freeWithPrime: ofPeriod(({ freeWithPrime }) => freeWithPrime),
        revenueMicros: ofPeriod(({ revenueMicros }) => revenueMicros),
        costToServeMicros: ofPeriod(({ costToServeMicros }) => costToServeMicros),
        marginMicros: ofPeriod(({ marginMicros }) => marginMicros),
      }
    })
  const figures = figureNames.map((name) => {
    const applies = drawn[0]!.figures[name] !== null
    return [name, applies ? interval(({ figures }) => figures[name]!) : null] as const
  })
  return {
    months: periods('months'),
    years: periods('years'),
    figures: Object.fromEntries(figures) as Record<FigureName, Interval | null>,
  }
}

/** Why there can be no intervals; null where there can. */
export function whyNoIntervals({ alive, customers }: ObservedCohort, { shape }: RetentionFit): string | null {
  if (customers === null) {
    return 'retention.customers does not say how many customers were observed'
  }
  if (shape === 'nobody_left') {
    return 'nobody left, so nothing tells how far churn may be from 0'
  }
  if (shape === 'all_left_at_once') {
    return 'all left at the first renewal, so nothing tells how many others would stay'
  }
  const left = Math.round(customers * (1 - alive.at(-1)! / alive[0]!))
  return customers < customersMin || left < leftMin
    ? `of ${customers} observed customers ${left} left, and an interval needs ${customersMin} and ${leftMin}`
    : null
}
