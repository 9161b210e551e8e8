import type { BucketSums } from '../../services/shared/domain/share-interval.ts'
import { cusumChart } from '../../services/shared/domain/stats/cusum.ts'
import { driftChart, type DriftOptions } from '../../services/shared/domain/stats/drift.ts'
import { createDailyUsageModel } from '../support/daily-usage-model.ts'
import { emptyBuckets, type ShareModel } from '../support/usage-model.ts'

export interface DriftScenario {
  share: ShareModel
  households: number
  /** AR(1) use, new tastes on 2 % of days, 0.3 % of households replaced a day; weekdays that differ by up to 20 %. */
  slow: boolean
  dayShocks?: number
  /** Relative change of the share from this day on. */
  change?: { from: number; by: number }
}

/** Weekdays' factors on the share and on use. */
const WEEKDAY_SHARE = [1, 0.97, 0.95, 0.98, 1.05, 1.2, 1.15]
const WEEKDAY_USAGE = [1, 0.98, 0.97, 1, 1.04, 1.2, 1.18]
const SHARE_MAX = 1.2

/** Days of a seeded cohort. */
export function driftDays(
  model: ReturnType<typeof createDailyUsageModel>,
  { share, households, slow, dayShocks = 0, change }: DriftScenario,
  days: number,
): BucketSums[] {
  const cohort = model.createCohort({ households, share })
  if (slow) for (let day = 0; day < 30; day++) model.age(cohort)
  return Array.from({ length: days }, (_, day) => {
    if (slow) model.age(cohort)
    const into = emptyBuckets()
    const season = slow ? WEEKDAY_SHARE[day % 7]! / SHARE_MAX : 1
    const shock = 1 + dayShocks * model.normal()
    model.drawDay(cohort, into, {
      shareFactor: Math.max(0, season * shock * (change !== undefined && day >= change.from ? 1 + change.by : 1)),
      usageFactor: slow ? WEEKDAY_USAGE[day % 7]! : 1,
    })
    return into
  })
}

/**
 * Days for each false alarm over `runs` cohorts, the sums starting anew after each: of our chart, and beside it of the
 * textbook's with h 5 on the same seasonal residuals before they are freed from autocorrelation.
 */
export function runLength(
  scenario: DriftScenario,
  { runs, days, seed }: { runs: number; days: number; seed: number },
  options: DriftOptions = {},
) {
  const model = createDailyUsageModel(seed)
  const found = { watched: 0, alarms: 0, falls: 0, textbookWatched: 0, textbookAlarms: 0 }
  for (let run = 0; run < runs; run++) {
    const chart = driftChart(driftDays(model, scenario, days), { ...options, afterSignal: 'reset' })
    const seasonal = chart.map(({ z }) => z)
    found.watched += chart.filter(({ residual }) => residual !== null).length
    found.alarms += chart.filter(({ signal }) => signal !== null).length
    found.falls += chart.filter(({ signal }) => signal === 'fall').length
    found.textbookWatched += seasonal.filter((z) => z !== null).length
    found.textbookAlarms += cusumChart(seasonal, { afterSignal: 'reset' }).filter(
      ({ signal }) => signal !== null,
    ).length
  }
  return {
    ...found,
    runLength: found.watched / found.alarms,
    textbookRunLength: found.textbookWatched / found.textbookAlarms,
  }
}

/** Days until a change is signalled: the part of cohorts within 60 days, and the median among those. */
export function detection(scenario: DriftScenario, { runs, seed }: { runs: number; seed: number }) {
  const model = createDailyUsageModel(seed)
  const from = 120
  const delays: number[] = []
  for (let run = 0; run < runs; run++) {
    const chart = driftChart(driftDays(model, { ...scenario, change: { from, by: -0.2 } }, from + 60), {
      afterSignal: 'reset',
    })
    const at = chart.findIndex(({ signal }, day) => day >= from && signal === 'fall')
    if (at >= 0) delays.push(at - from + 1)
  }
  delays.sort((a, b) => a - b)
  return { percent: (100 * delays.length) / runs, medianDays: delays[delays.length >> 1] ?? null }
}
