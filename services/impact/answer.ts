import { fitRetention, type RetentionFit } from '../shared/domain/stats/shifted-beta-geometric.ts'
import { bootstrapPaidTier, drawsDefault, whyNoIntervals, type Intervals } from './bootstrap.ts'
import { projectPaidTier, type Projection } from './paid-tier.ts'
import type { Scenario } from './scenario.ts'

/** All that is said of one scenario. */
export interface Answer {
  readonly file: string
  readonly scenario: Scenario
  readonly fit: RetentionFit
  readonly projection: Projection
  readonly intervals: Intervals | null
  /** Why there are none. */
  readonly whyNone: string | null
}

/** @param unit uniform in [0, 1) */
export function answerOf(
  file: string,
  scenario: Scenario,
  { unit, draws = drawsDefault }: { unit: () => number; draws?: number },
): Answer {
  const fit = fitRetention(scenario.retention.alive)
  const projection = projectPaidTier(scenario, fit)
  const whyNone = whyNoIntervals(scenario.retention, fit)
  const { customers } = scenario.retention
  const intervals =
    whyNone === null && customers !== null ? bootstrapPaidTier(scenario, { customers, unit, draws }) : null
  return { file, scenario, fit, projection, intervals, whyNone }
}
