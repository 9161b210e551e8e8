import type { IntentUsageRow, UsageRow } from './views-case.ts'

/** Numbers from 0 to 1 by a seed (mulberry32): tests that draw print the seed. */
export function createRandom(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export const usageClasses = ['direct', 'assisted', 'entitlement', 'free', 'not_a_request', 'unclassified'] as const
const intents = ['shopping_buy', 'play_music', 'weather_query', 'alarm_set', 'qa_stock', 'iot_coffee', 'general_joke']

/** Skewed usage of some households in every dimension, so that small cells stand beside large ones; a few in a second taxonomy. */
export function randomUsage(
  random: () => number,
  options: { households: number; buckets: number; secondTaxonomy: boolean },
): { usage: UsageRow[]; intents: IntentUsageRow[] } {
  const pick = <T>(values: readonly T[], skew: number): T => values[Math.floor(values.length * random() ** skew)]!
  const usage = new Map<string, UsageRow & { household_ids: number[] }>()
  const byIntent = new Map<string, IntentUsageRow & { household_ids: number[] }>()
  for (let household = 1; household <= options.households; household++) {
    const country = pick(['US', 'GB', 'DE', 'LU'], 3)
    const plans = pick(['', 'prime', 'music,prime', 'security'], 2)
    const bucket = Math.floor(random() * options.buckets)
    for (let device = Math.floor(random() * 2); device >= 0; device--) {
      const product = pick(['echo', 'kindle', 'ring'], 4)
      const cohort_month = pick(['2025-11-01', '2025-12-01', '2026-01-01'], 2)
      for (const day of ['2026-01-05', '2026-01-06', '2026-01-07'].filter(() => random() > 0.5)) {
        for (const value_class of usageClasses.filter((one) => random() > (one === 'direct' ? 0.95 : 0.5))) {
          const taxonomy_version = options.secondTaxonomy && random() < 0.03 ? 2 : 1
          const requests = 1 + Math.floor(Math.exp(3 * random()))
          const place = { day, product, country, value_class, taxonomy_version }
          add(usage, { ...place, cohort_month, plans, bucket, requests, household_ids: [] }, household)
          add(byIntent, { ...place, intent: pick(intents, 3), requests, household_ids: [] }, household)
        }
      }
    }
  }
  return { usage: [...usage.values()], intents: [...byIntent.values()] }
}

function add<R extends { requests: number; household_ids: number[] }>(
  rows: Map<string, R>,
  row: R,
  household: number,
): void {
  const key = JSON.stringify({ ...row, requests: 0 })
  const known = rows.get(key) ?? { ...row, requests: 0 }
  rows.set(key, known)
  known.requests += row.requests
  known.household_ids.push(household)
}
