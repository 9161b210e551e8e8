import { basename } from 'node:path'

import type { Command } from 'commander'
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'

import { mistake } from '../shared/domain/faults.ts'
import type { ClickHouse } from '../shared/io/clickhouse.ts'
import { answerOf, type Answer } from './answer.ts'
import { registerCausal } from './causal-command.ts'
import { registerClaims } from './claims-command.ts'
import { parsePaidTierFlags } from './flags.ts'
import { printPaidTier } from './print.ts'
import { registerPnl } from './pnl/command.ts'
import { loadScenario } from './scenario-file.ts'

/** What the command line gives to the verbs of impact. */
export interface ImpactContext {
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream
  clickHouse(role: 'pipeline'): Promise<{ client: ClickHouse; database: string }>
}

export function registerImpact(program: Command, context: ImpactContext): void {
  const impact = program
    .command('impact')
    .description('What a product earns or loses, beside what is claimed for it')
    .addHelpText('after', '\nExample:\n  npx intent-ledger impact paid-tier infra/impact/everybody-pays-8.yaml')
  registerPaidTier(impact, context)
  registerCausal(impact, context)
  registerClaims(impact, context)
  registerPnl(impact, context)
}

function registerPaidTier(impact: Command, context: ImpactContext): void {
  impact
    .command('paid-tier')
    .description(
      'What a paid assistant would earn: assumed take-up and costs, fitted churn; several scenarios side by side',
    )
    .argument('<scenario...>', 'YAML files, one a scenario; infra/impact holds some')
    .option('--months <n>', "horizon in months, instead of the file's")
    .option('--seed <n>', 'of the draws behind the intervals (default 1)')
    .option('--format <format>', 'table or json (default table); json has every month')
    .addHelpText(
      'after',
      '\nNeeds no server. Exit code 2: a file has mistakes.' +
        '\n\nExamples:\n  npx intent-ledger impact paid-tier infra/impact/everybody-pays-8.yaml' +
        '\n  npx intent-ledger impact paid-tier infra/impact/everybody-pays-8.yaml infra/impact/free-with-prime.yaml',
    )
    .action((files: string[], given: object) => {
      const { scenario: paths, seed, months, format } = parsePaidTierFlags(files, given)
      const answers = paths.map((path): Answer => {
        const scenario = loadScenario(path)
        // A stream of its own for each, so that a scenario's figures do not depend on what stands beside it.
        const generator = xoroshiro128plus(seed)
        return answerOf(
          basename(path),
          { ...scenario, horizonMonths: months ?? scenario.horizonMonths },
          { unit: () => uniformFloat64(generator) },
        )
      })
      refuseTwoCurrencies(answers)
      context.stdout.write(printPaidTier(answers, seed, format))
    })
}

/** Side by side means to be compared, and sums of two currencies can't be. */
function refuseTwoCurrencies(answers: readonly Answer[]): void {
  const [first] = answers
  const other = answers.find(({ scenario }) => scenario.currency !== first!.scenario.currency)
  if (other !== undefined) {
    const { file, scenario } = other
    throw mistake(
      `${file} is in ${scenario.currency} and ${first!.file} in ${first!.scenario.currency}; compare scenarios of one currency`,
      'config_invalid',
    )
  }
}
