/** How often rules page where nothing was planted, through the engine, beside the rule that most dashboards have. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { backtest } from '../../services/alerts/backtest.ts'
import { byCohort, sum, type WindowInput } from '../../services/alerts/inputs.ts'
import { createAlertRecord } from '../../services/alerts/record.ts'
import type { Rule } from '../../services/alerts/rule.ts'
import type { AlertState } from '../../services/alerts/state.ts'
import { isPage, tick } from '../../services/alerts/tick.ts'
import { createWindowStore } from '../../services/alerts/window-store.ts'
import { fillAlertHistory } from '../../services/local/alert-history.ts'
import { demoCohorts } from '../../services/local/history-cohorts.ts'
import { startStack } from '../../services/local/stack.ts'
import { createClickHouse, type ClickHouse } from '../../services/shared/io/clickhouse.ts'
import { migrate } from '../../services/shared/io/migrations.ts'
import { wilsonOfCount } from '../../services/shared/domain/stats/newcombe.ts'
import { makeRule } from '../support/alert-rules.ts'

const dayMs = 86_400_000
const firstDay = '2026-01-05'
const baseDays = 49

export interface PagesScenario {
  /** Standard deviation of what moves all households of a day alike, relative. */
  readonly dayShocks: number
  readonly seeds: readonly number[]
  /** Judged, after seven weeks that are compared with. */
  readonly days: number
  readonly householdsPerCountry: number
}

export interface PagesRow {
  readonly rule: string
  readonly pages: number
  readonly cohortDays: number
  /** Pages per 1,000 cohort-days, with the wider of the 95 % intervals clustered by cohort and by tick. */
  readonly rate: { readonly estimate: number; readonly low: number; readonly high: number }
  /** Part of the ticks in which any cohort pages, with Wilson's 95 % interval. */
  readonly ticks: { readonly estimate: number; readonly low: number; readonly high: number }
}

/** Pages of one rule by seed, day and cohort. */
type Pages = readonly { seed: number; day: number; cohort: string }[]

const cohorts = { by: ['product', 'country', 'cohort_month'], mix: null } as const
/** Any change at all: what is left is the confidence alone. */
const anyChange = { kind: 'change', direction: 'either', least: 1e-9, unit: 'relative' } as const
const shipped = { keepFiringForWindows: 1, minimumHouseholds: 300 }

const backtested: readonly (readonly [string, Rule])[] = [
  ['drops 10 %', makeRule({ ...cohorts, name: 'drops' })],
  ['drops 10 %, for 1d', makeRule({ ...cohorts, name: 'drops_for', forWindows: 2 })],
  [
    'drops 10 %, for 1d, by country, mix product',
    makeRule({ ...shipped, name: 'shipped', by: ['country'], mix: 'product', forWindows: 2 }),
  ],
]
/** An alert that asks for no size would fire until the estimate is back to the digit, so each page is forgotten after its tick. */
const confidenceAlone: readonly (readonly [string, Rule])[] = [
  ['changes at all', makeRule({ ...cohorts, name: 'any', condition: anyChange })],
  ['changes at all, for 1d', makeRule({ ...cohorts, name: 'any_for', condition: anyChange, forWindows: 2 })],
  [
    'changes at all, by country, mix product',
    makeRule({ name: 'any_mix', by: ['country'], mix: 'product', condition: anyChange }),
  ],
]
const plain = 'mean of 7 days ± 2 sigma'

/** Makes a history for each seed on a ClickHouse of its own and asks every rule. */
export async function falsePages(
  scenarios: readonly PagesScenario[],
  onScenario: (scenario: PagesScenario, rows: readonly PagesRow[]) => void,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'intent-ledger-pages-'))
  const stack = await startStack({ dataDir: folder })
  const clickHouse = createClickHouse({
    ...{ url: stack.clickhouseUrl, user: 'pipeline', password: stack.secrets.pipelinePassword },
    requestTimeoutMs: 300_000,
  })
  try {
    for (const [place, scenario] of scenarios.entries()) {
      const found = new Map<string, { pages: Pages; cohorts: number }[]>()
      for (const seed of scenario.seeds) {
        const database = `intent_ledger_pages_${place}_${seed}`
        await fill(clickHouse, database, scenario, seed)
        for (const [rule, one] of await pagesOf(clickHouse, database, scenario, seed)) {
          found.set(rule, [...(found.get(rule) ?? []), one])
        }
      }
      onScenario(
        scenario,
        [...found].map(([rule, ones]) => summarise(rule, ones, scenario)),
      )
    }
  } finally {
    await clickHouse.close()
    await stack.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

async function fill(clickHouse: ClickHouse, database: string, scenario: PagesScenario, seed: number): Promise<void> {
  await migrate(clickHouse, { database, dedupWindowBlocks: 1_000 })
  await fillAlertHistory(clickHouse, {
    ...{ database, firstDay, days: baseDays + scenario.days, seed, changes: [], noise: scenario.dayShocks },
    cohorts: demoCohorts(firstDay, scenario.householdsPerCountry),
  })
}

async function pagesOf(clickHouse: ClickHouse, database: string, { days }: PagesScenario, seed: number) {
  const source = { clickHouse, database, taxonomyVersion: 1 }
  const deps = { source, record: createAlertRecord(source) }
  const fromMs = Date.parse(firstDay) + baseDays * dayMs
  const dayOf = (startMs: number) => Math.round((startMs - fromMs) / dayMs)
  const found = new Map<string, { pages: Pages; cohorts: number }>()

  for (const [name, rule] of backtested) {
    const { transitions, rules } = await backtest([rule], { fromMs, toMs: fromMs + days * dayMs }, deps)
    const pages = transitions
      .filter(isPage)
      .map(({ windowStartMs, cohort }) => ({ seed, day: dayOf(windowStartMs), cohort: JSON.stringify(cohort) }))
    found.set(name, { pages, cohorts: (rules[0]!.evaluations - rules[0]!.insufficientWindows) / days })
  }
  for (const [name, rule] of confidenceAlone) {
    const windows = createWindowStore(deps, { keep: false })
    const pages: { seed: number; day: number; cohort: string }[] = []
    let judgedCohorts = 0
    let states = new Map<string, AlertState>()
    const starts = Array.from({ length: days }, (_, day) => fromMs + day * dayMs)
    await windows.prepare(
      starts.map((start) => ({ rule, start })),
      0,
    )
    for (const [day, start] of starts.entries()) {
      const judged = tick(rule, start, windows.of(rule), states)
      states = new Map([...judged.states].filter(([, { phase }]) => phase === 'pending'))
      judgedCohorts += judged.evaluations.filter(({ finding }) => finding.insufficient === null).length
      for (const { cohort, status } of judged.evaluations) {
        if (status === 'firing') {
          pages.push({ seed, day, cohort: JSON.stringify(cohort) })
        }
      }
    }
    found.set(name, { pages, cohorts: judgedCohorts / days })
    if (name === 'changes at all') {
      found.set(plain, plainPages(windows.of(rule), { fromMs, days, seed }))
    }
  }
  return found
}

/** A page is a day outside of the band after a day inside. The band is of the 7 days before, as `demo-plain-rule.ts` has it. */
function plainPages(
  windows: ReadonlyMap<number, WindowInput>,
  { fromMs, days, seed }: { fromMs: number; days: number; seed: number },
) {
  const shares = new Map<string, Map<number, number>>()
  for (const [startMs, input] of windows) {
    for (const [cohort, { total, requests }] of byCohort(input)) {
      const own = shares.get(cohort) ?? new Map<number, number>()
      shares.set(cohort, own.set(startMs, sum(total.monetised) / requests))
    }
  }
  const pages: { seed: number; day: number; cohort: string }[] = []
  for (const [cohort, own] of shares) {
    let wasOutside = false
    for (let day = -1; day < days; day++) {
      const at = fromMs + day * dayMs
      const before = Array.from({ length: 7 }, (_, back) => own.get(at - (back + 1) * dayMs)!)
      const mean = before.reduce((all, share) => all + share, 0) / 7
      const deviation = Math.sqrt(before.reduce((all, share) => all + (share - mean) ** 2, 0) / 6)
      const isOutside = Math.abs(own.get(at)! - mean) > 2 * deviation
      if (day >= 0 && isOutside && !wasOutside) {
        pages.push({ seed, day, cohort })
      }
      wasOutside = isOutside
    }
  }
  return { pages, cohorts: shares.size }
}

function summarise(
  rule: string,
  ones: readonly { pages: Pages; cohorts: number }[],
  { days }: PagesScenario,
): PagesRow {
  const pages = ones.flatMap((one) => one.pages)
  const cohortDays = ones.reduce((all, one) => all + one.cohorts * days, 0)
  const ticks = days * ones.length
  const withPages = new Set(pages.map(({ seed, day }) => `${seed} ${day}`)).size
  const clusteredError = (keyOf: (page: Pages[number]) => string, clusters: number) => {
    const counts = [...Map.groupBy(pages, keyOf).values()].map(({ length }) => length)
    const mean = pages.length / clusters
    const squares = counts.reduce((all, count) => all + (count - mean) ** 2, (clusters - counts.length) * mean ** 2)
    return Math.sqrt((squares / (clusters - 1)) * clusters)
  }
  const error = Math.max(
    clusteredError(({ seed, day }) => `${seed} ${day}`, ticks),
    clusteredError(({ seed, cohort }) => `${seed} ${cohort}`, cohortDays / days),
  )
  const perThousand = (count: number) => (1_000 * Math.max(0, count)) / cohortDays
  return {
    ...{ rule, pages: pages.length, cohortDays },
    rate: {
      estimate: perThousand(pages.length),
      low: perThousand(pages.length - 1.96 * error),
      // No page at all: the upper limit of a Poisson count.
      high: perThousand(pages.length === 0 ? 3.69 : pages.length + 1.96 * error),
    },
    ticks: wilsonOfCount({ events: withPages, trials: ticks }, 0.95),
  }
}
