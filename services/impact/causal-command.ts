import type { Command } from 'commander'

import { mistake } from '../shared/domain/faults.ts'
import { parseCausalFlags, type CausalFlags } from './causal-flags.ts'
import { chooseCurrency, readCurrencies } from './currencies.ts'
import type { ImpactContext } from './commands.ts'
import { readExperiments, type Experiment, type ImpactDeps } from './experiments.ts'
import { armsDiffer, readHoldout, type HoldoutReport } from './holdout.ts'
import { readOrderDays } from './order-days.ts'
import { printCausal } from './print-causal.ts'

export function registerCausal(impact: Command, context: ImpactContext): void {
  impact
    .command('causal')
    .description(
      'What each product causes, by households it was withheld from by lot, beside what comparisons of owners say',
    )
    .option('--product <product...>', 'products; all that an experiment withholds when left out')
    .option('--from <day>', 'first day, UTC, included (default: when the experiment begins)')
    .option('--to <day>', 'last day, UTC, included (default: when it ends, or the last day with orders)')
    .option('--line <line>', 'orders of one line, e.g. e_books (default all)')
    .option('--currency <code>', 'e.g. USD; others are left out and counted (default: the only one there is)')
    .option('--format <format>', 'table or json (default table)')
    .addHelpText(
      'after',
      '\nIntervals are 95 %. Observational rows compare households that chose, and are labelled so.' +
        '\nExit code 1: an experiment is refused, because its arms are not what the lot drew.' +
        '\n\nExample:\n  npx intent-ledger impact causal --product echo kindle --currency USD',
    )
    .action(async (given: object) => {
      const flags = parseCausalFlags(given)
      const { client: clickHouse, database } = await context.clickHouse('pipeline')
      const reports = await readAll({ clickHouse, database }, flags)
      context.stdout.write(printCausal(reports, flags.format))
      if (reports.some(armsDiffer)) {
        process.exitCode = 1
      }
    })
}

async function readAll(deps: ImpactDeps, flags: CausalFlags): Promise<HoldoutReport[]> {
  const experiments = experimentsOf(await readExperiments(deps), flags.product)
  const asked = experiments.map(({ drawn }) => ({ from: flags.from ?? drawn.from, to: flags.to ?? drawn.to }))
  const days = {
    from: asked.map(({ from }) => from).sort()[0]!,
    to: asked
      .map(({ to }) => to)
      .sort()
      .at(-1)!,
  }
  const currency = chooseCurrency(flags.currency, await readCurrencies(deps, days))
  const line = flags.line === undefined ? {} : { line: flags.line }
  const ordered = await readOrderDays(deps, { currency, ...line })
  if (ordered === null) {
    throw mistake(`there is no order in ${currency}${flags.line === undefined ? '' : ` of line ${flags.line}`}`)
  }
  const reports: HoldoutReport[] = []
  for (const { experiment, product, drawn } of experiments) {
    const from = flags.from ?? drawn.from
    const lastDay = ordered.to < drawn.to ? ordered.to : drawn.to
    // Where orders end before the experiment begins, its first day: all that can be asked for.
    const to = flags.to ?? (lastDay < from ? from : lastDay)
    reports.push(await readHoldout(deps, { product, experiment, from, to, currency, ...line }))
  }
  return reports
}

/** All of the products that are asked for. Throws a mistake where a product has none. */
function experimentsOf(all: readonly Experiment[], products: readonly string[]): readonly Experiment[] {
  if (all.length === 0) {
    throw mistake('there are no experiments: nobody was drawn into an arm')
  }
  const unknown = products.filter((product) => !all.some((one) => one.product === product))
  if (unknown.length > 0) {
    const known = [...new Set(all.map(({ product }) => product))].join(', ')
    throw mistake(`no experiment withholds ${unknown.join(', ')}; there are experiments of ${known}`)
  }
  return all.filter(({ product }) => products.length === 0 || products.includes(product))
}
