import { sum } from '../../services/alerts/inputs.ts'
import { pairedDifference, type PairedOptions } from '../../services/shared/domain/stats/paired-difference.ts'
import { createDailyUsageModel } from '../support/daily-usage-model.ts'
import { emptyBuckets, type ShareModel } from '../support/usage-model.ts'

const baseDays = 6

export interface PairedScenario {
  share: ShareModel
  households: number
  /** Relative change of today's share: 0 counts false alarms, -0.2 power. */
  change: number
  /** Standard deviation of what moves all households' shares on a day, relative. */
  dayShocks?: number
}

/** How often a two-sided alert at 1 % fires, in per cent of the draws, with its standard error. */
export function alarmRate(
  { share, households, change, dayShocks = 0 }: PairedScenario,
  {
    draws,
    seed,
    alpha = 0.01,
    otherWeekdays = 6,
  }: { draws: number; seed: number; alpha?: number; otherWeekdays?: number },
  options: PairedOptions = {},
) {
  const model = createDailyUsageModel(seed)
  const shock = () => Math.max(0, 1 + dayShocks * model.normal())
  const days = Array.from({ length: baseDays + 1 }, () => emptyBuckets())
  const otherDay = emptyBuckets()
  let alarms = 0
  let covered = 0
  for (let draw = 0; draw < draws; draw++) {
    const cohort = model.createCohort({ households, share })
    for (const [index, into] of days.entries()) {
      model.drawDay(cohort, into, { shareFactor: shock() * (index === baseDays ? 1 + change : 1) })
    }
    const otherDays = Array.from({ length: otherWeekdays }, () =>
      Array.from({ length: baseDays }, () => {
        model.drawDay(cohort, otherDay, { shareFactor: shock() })
        return sum(otherDay.monetised) / sum(otherDay.requests)
      }),
    )
    const found = pairedDifference(days[baseDays]!, days.slice(0, baseDays), { ...options, otherDays })
    if (found?.pValue != null && found.pValue < alpha) alarms++
    if (found?.low != null && found.low <= 0 && 0 <= found.high!) covered++
  }
  const rate = alarms / draws
  return { percent: 100 * rate, error: 100 * Math.sqrt((rate * (1 - rate)) / draws), covered: (100 * covered) / draws }
}
