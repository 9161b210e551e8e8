import { basename } from 'node:path'

import type { Command } from 'commander'

import { mistake } from '../../shared/domain/faults.ts'
import { createProgress } from '../../shared/io/progress.ts'
import type { ImpactContext } from '../commands.ts'
import type { DeviceAssumptions } from './assumptions.ts'
import { loadAssumptions } from './assumptions-file.ts'
import { parsePnlFlags, type PnlFlags } from './flags.ts'
import { printPnl } from './print.ts'
import { readPnl } from './read-pnl.ts'

export function registerPnl(impact: Command, context: ImpactContext): void {
  impact
    .command('pnl')
    .description(
      'What each product earns or loses: devices, returns, requests, and downstream margin as claimed and incremental',
    )
    .argument('<assumptions>', 'YAML file of what the tables do not say; infra/impact/devices.yaml is one')
    .option('--product <product>', 'only this one of the file')
    .option('--by <grouping>', 'product or cohort, the month of activation (default product)')
    .option('--from <day>', 'first day, UTC (default: that of the first activation)')
    .option('--to <day>', 'last day, UTC (default: the last with anything)')
    .option('--currency <code>', 'must be that of the file: nothing here converts')
    .option('--format <format>', 'table, json or csv (default table); json has every year, month and cohort')
    .addHelpText(
      'after',
      '\nExit code 2: the file has mistakes, or there is nothing to report.' +
        '\n\nExamples:\n  npx intent-ledger impact pnl infra/impact/devices.yaml' +
        '\n  npx intent-ledger impact pnl infra/impact/devices.yaml --product echo --by cohort',
    )
    .action(async (path: string, given: object) => {
      const flags = parsePnlFlags(path, given)
      const assumptions = loadAssumptions(flags.assumptions)
      assertFits(flags, assumptions)
      const { client, database } = await context.clickHouse('pipeline')
      let progress: ReturnType<typeof createProgress> | undefined
      const { product, from, to } = flags
      const document = await readPnl(
        { clickHouse: client, database },
        {
          ...{ assumptions, product, from, to },
          onProgress(done, total) {
            progress ??= createProgress({
              ...{ stderr: context.stderr, label: 'experiments read', total },
              format: (years) => `${years} years of products`,
            })
            progress.update(done, '')
          },
        },
      ).finally(() => progress?.stop())
      context.stdout.write(printPnl(document, flags.by, flags.format))
    })
}

function assertFits({ assumptions: path, product, currency }: PnlFlags, assumptions: DeviceAssumptions): void {
  const file = basename(path)
  if (currency !== undefined && currency !== assumptions.currency) {
    throw mistake(
      `impact pnl: the amounts of ${file} are in ${assumptions.currency} and --currency is ${currency}; nothing here converts, so name a file in ${currency}`,
    )
  }
  const names = assumptions.products.map((one) => one.product)
  if (product !== undefined && !names.includes(product)) {
    throw mistake(`impact pnl: ${file} says nothing of --product ${product}; it has ${names.join(', ')}`)
  }
}
