import type { CohortWindow, JudgedWindows } from '../../services/alerts/inputs.ts'
import { sum } from '../../services/alerts/inputs.ts'
import { judge } from '../../services/alerts/judge.ts'
import { createDailyUsageModel } from '../support/daily-usage-model.ts'
import { makeRule } from '../support/alert-rules.ts'
import { emptyBuckets, type Buckets, type ShareModel } from '../support/usage-model.ts'

export interface PeekingScenario {
  share: ShareModel
  households: number
  /** Relative change of today's share. */
  change: number
  dayShocks?: number
}

const weeks = 6
const weekdays = 7
const looks = 8

/**
 * How often a rule for days at 99 % that is judged every three hours finds a change in a day at any of its eight looks, per cent:
 * by the always-valid interval, and by the one for a single look.
 */
export function peekingRate(
  { share, households, change, dayShocks = 0 }: PeekingScenario,
  { draws, seed }: { draws: number; seed: number },
) {
  const model = createDailyUsageModel(seed)
  const every = makeRule({ window: 'hour', soFar: 'day', minimumHouseholds: 0, minimumRequests: 0 })
  const once = { ...every, soFar: null }
  const found = { sequence: 0, single: 0 }
  for (let draw = 0; draw < draws; draw++) {
    const cohort = model.createCohort({ households, share })
    const days = Array.from({ length: weeks * weekdays + 1 }, (_, index) => ({
      sums: emptyBuckets(),
      // A day's shock lasts all day.
      factor: Math.max(0, 1 + dayShocks * model.normal()) * (index === 0 ? 1 + change : 1),
    }))
    const p = { sequence: 1, single: 1 }
    const hours = emptyBuckets()
    for (let look = 1; look <= looks; look++) {
      for (const { sums, factor } of days) {
        model.drawDay(cohort, hours, { shareFactor: factor, usageFactor: 1 / looks })
        addTo(sums, hours)
      }
      // New objects for each look: what was worked out of windows is kept by them.
      const windows = (): JudgedWindows => {
        const [now, ...before] = days.map(({ sums }) => windowOf(sums))
        const weekday = (at: number) => before.slice(at * weeks, (at + 1) * weeks)
        return { now, base: weekday(0), others: [1, 2, 3, 4, 5, 6].map(weekday), passed: look / looks }
      }
      p.sequence = Math.min(p.sequence, judge(every, windows()).pValue ?? 1)
      p.single = Math.min(p.single, judge(once, windows()).pValue ?? 1)
    }
    found.sequence += p.sequence <= 0.01 ? 1 : 0
    found.single += p.single <= 0.01 ? 1 : 0
  }
  const rateOf = (count: number) => ({
    percent: (100 * count) / draws,
    error: 100 * Math.sqrt(((count / draws) * (1 - count / draws)) / draws),
  })
  return { sequence: rateOf(found.sequence), single: rateOf(found.single) }
}

function addTo(into: Buckets, day: Buckets): void {
  day.requests.forEach((count, bucket) => (into.requests[bucket]! += count))
  day.monetised.forEach((count, bucket) => (into.monetised[bucket]! += count))
}

function windowOf({ requests, monetised }: Buckets): CohortWindow {
  const total = { requests: requests.slice(), monetised: monetised.slice() }
  return { households: 0, requests: sum(requests), hits: sum(monetised), total, byMix: new Map([['', total]]) }
}
