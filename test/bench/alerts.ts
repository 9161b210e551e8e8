/** How long a tick of 1,000 alert rules over 500 cohorts takes: `npm run bench:alerts`. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { createAlertEngine } from '../../services/alerts/engine.ts'
import { createAlertRecord } from '../../services/alerts/record.ts'
import type { Rule } from '../../services/alerts/rule.ts'
import { fillAlertHistory } from '../../services/local/alert-history.ts'
import type { HistoryCohorts } from '../../services/local/history-cohorts.ts'
import { startStack } from '../../services/local/stack.ts'
import { createClickHouse, type ClickHouse } from '../../services/shared/io/clickhouse.ts'
import { createLogger } from '../../services/shared/io/log.ts'
import { migrate } from '../../services/shared/io/migrations.ts'
import { print, say } from './bench-servers.ts'
import { spreadOf } from './summary.ts'

const usage = `npm run bench:alerts -- [--rules 1000] [--ticks 5] [--households 400]

1,000 rules over 500 cohorts of product, country and month of activation, on a ClickHouse of its own: how long a day takes to be
judged and recorded, the first one (which reads seven weeks) and those after it. "shared": the rules ask for three measures
of the same cohorts. "own": each rule has a filter of its own and reads sums that no other reads.
`

const firstDay = '2026-01-05'
const dayMs = 86_400_000
const historyDays = 49

const { values } = parseArgs({
  options: {
    rules: { type: 'string', default: '1000' },
    ticks: { type: 'string', default: '5' },
    households: { type: 'string', default: '400' },
    help: { type: 'boolean' },
  },
})
interface Options {
  readonly rules: number
  readonly ticks: number
  /** Of each cohort, about. */
  readonly households: number
}

async function bench({ rules, ticks, households }: Options): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'intent-ledger-bench-'))
  try {
    const stack = await startStack({ dataDir: folder, onLog: say })
    const clickHouse = createClickHouse({
      ...{ url: stack.clickhouseUrl, user: 'pipeline', password: stack.secrets.pipelinePassword },
      requestTimeoutMs: 300_000,
    })
    try {
      const database = 'intent_ledger_bench_alerts'
      await migrate(clickHouse, { database, dedupWindowBlocks: 1_000 })
      const days = historyDays + ticks + 1
      await fillAlertHistory(clickHouse, {
        ...{ database, firstDay, days, seed: 1, changes: [], cohorts: fiveHundredCohorts(households) },
        onProgress: (day) => say(`history up to ${day}`),
      })
      print('| rules | sums | first day, s | next days, s: median (range) | evaluations a day |')
      print('| --- | --- | --- | --- | --- |')
      for (const [kind, made] of [
        ['shared', sharedRules(rules)],
        ['own', ownRules(rules)],
      ] as const) {
        const named = made.map((rule) => ({ ...rule, name: `${kind}_${rule.name}` }))
        const { first, next, evaluations } = await timeTicks(clickHouse, database, named, ticks)
        print(`| ${made.length} | ${kind} | ${first.toFixed(1)} | ${seconds(next)} | ${evaluations} |`)
      }
    } finally {
      await clickHouse.close()
      await stack.stop()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function timeTicks(clickHouse: ClickHouse, database: string, rules: readonly Rule[], ticks: number) {
  const source = { clickHouse, database, taxonomyVersion: 1 }
  const engine = createAlertEngine({
    ...{ source, record: createAlertRecord(source), latenessMs: 0, lagGraceMs: dayMs },
    watermark: (nowMs) => Promise.resolve(nowMs),
    log: createLogger({ service: 'bench', level: 'warn', pretty: false }),
  })
  const took: number[] = []
  let evaluations = 0
  for (let day = 0; day <= ticks; day++) {
    const started = performance.now()
    const { ticks: judged } = await engine.advance(rules, Date.parse(firstDay) + (historyDays + day + 1) * dayMs)
    took.push((performance.now() - started) / 1_000)
    evaluations = judged.reduce((all, tick) => all + tick.cohorts, 0)
    say(`day ${day}: ${took.at(-1)!.toFixed(2)} s, ${judged.length} rules, ${evaluations} evaluations`)
  }
  return { first: took[0]!, next: took.slice(1), evaluations }
}

function fiveHundredCohorts(households: number): HistoryCohorts {
  const countries = ['US', 'GB', 'DE', 'FR', 'IN', 'JP', 'BR', 'CA', 'IT', 'ES']
  return {
    countries: Object.fromEntries(countries.map((country) => [country, households * 50])),
    products: [
      { product: 'echo', weight: 1, broad: 0.06, strict: 0.01, broadClass: 'assisted' },
      { product: 'fire_tv', weight: 1, broad: 0.35, strict: 0.01, broadClass: 'entitlement' },
      { product: 'kindle', weight: 1, broad: 0.3, strict: 0.01, broadClass: 'entitlement' },
      { product: 'ring', weight: 1, broad: 0.4, strict: 0.005, broadClass: 'entitlement' },
      { product: 'mobile_app', weight: 1, broad: 0.1, strict: 0.01, broadClass: 'assisted' },
    ],
    months: Array.from({ length: 10 }, (_, month) => `2025-${String(month + 1).padStart(2, '0')}-01`),
    prime: 0.5,
  }
}

function seconds(values: readonly number[]): string {
  const { median, low, high } = spreadOf(values)
  return `${median.toFixed(1)} (${low.toFixed(1)} to ${high.toFixed(1)})`
}

const measures = ['broad_share', 'strict_share', 'unclassified_ratio'] as const

/** By all 500 cohorts: measures, sizes, confidences, baselines and ways to count differ, as those of many teams would. */
function sharedRules(count: number): Rule[] {
  return Array.from({ length: count }, (_, index) => ({
    ...common(index),
    by: ['product', 'country', 'cohort_month'] as const,
    // One in ten tells the mix of plans apart.
    mix: index % 10 === 9 ? ('plans' as const) : null,
  }))
}

/** By month within a product and country, which 20 rules share, and a measure and mix, which leaves few or none that read the same. */
function ownRules(count: number): Rule[] {
  const countries = Object.keys(fiveHundredCohorts(1).countries)
  const products = fiveHundredCohorts(1).products.map(({ product }) => product)
  return Array.from({ length: count }, (_, index) => ({
    ...common(index),
    filter: {
      product: products[index % products.length]!,
      country: countries[Math.floor(index / products.length) % countries.length]!,
      ...(index % 2 === 0 ? {} : { plans: index % 4 === 1 ? 'prime' : '' }),
    },
    by: index % 3 === 0 ? (['cohort_month'] as const) : (['cohort_month', 'plans'] as const),
    mix: null,
  }))
}

function common(index: number): Rule {
  const least = 0.05 * (1 + (index % 6))
  const isLimit = index % 5 === 4
  return {
    ...{ name: `rule_${index}`, measure: measures[index % measures.length]!, filter: {}, by: [], window: 'day' },
    soFar: null,
    condition: isLimit
      ? { kind: 'threshold', side: index % 2 === 0 ? 'below' : 'above', value: least }
      : { kind: 'change', direction: index % 2 === 0 ? 'drop' : 'either', least, unit: 'relative' },
    baseline: { weeks: 6, centre: index % 7 === 6 ? 'median' : 'mean' },
    ...{ mix: null, minimumHouseholds: 100, minimumRequests: 500, confidence: index % 3 === 0 ? 0.999 : 0.99 },
    ...{ forWindows: 1 + (index % 3), keepFiringForWindows: 1, hysteresis: 0.2, severity: 'warning' },
    ...{ labels: { team: `team_${index % 20}` }, annotations: { summary: '{{value}}, usually {{baseline}}' } },
  }
}

if (values.help) {
  print(usage)
} else {
  await bench({ rules: Number(values.rules), ticks: Number(values.ticks), households: Number(values.households) })
}
