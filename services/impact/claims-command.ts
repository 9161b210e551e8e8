import type { Command } from 'commander'

import { mistake } from '../shared/domain/faults.ts'
import { parseClaimsFlags } from './claims-flags.ts'
import { claimDimensions } from './claims-sql.ts'
import { readClaims } from './claims.ts'
import type { ImpactContext } from './commands.ts'
import { chooseCurrency, readCurrencies } from './currencies.ts'
import { readOrderDays } from './order-days.ts'
import { printClaims } from './print-claims.ts'

export function registerClaims(impact: Command, context: ImpactContext): void {
  impact
    .command('claims')
    .description('What the teams claim of the margin of orders, and what is left of it when each order counts once')
    .option('--from <day>', 'first day, UTC (default: of the first order)')
    .option('--to <day>', 'last day, included (default: of the last order)')
    .option('--by <dimensions>', `besides product, comma list of ${claimDimensions.join(', ')} (default product)`)
    .option('--currency <code>', 'as USD (default: the only one there is); orders in others are left out and counted')
    .option('--format <format>', 'table, json or csv (default table)')
    .addHelpText(
      'after',
      '\nObservational: no method here undoes that households which spend more buy more devices.' +
        '\n\nExamples:\n  npx intent-ledger impact claims --from 2017-01-01 --to 2021-12-31' +
        '\n  npx intent-ledger impact claims --by line --format csv',
    )
    .action(async (given: unknown) => {
      const flags = parseClaimsFlags(given)
      const { client: clickHouse, database } = await context.clickHouse('pipeline')
      const deps = { clickHouse, database }
      const stored = await readOrderDays(deps)
      if (stored === null) {
        throw mistake('impact claims: no orders are stored yet; classify the stream ecosystem-orders first')
      }
      const days = { from: flags.from ?? stored.from, to: flags.to ?? stored.to }
      const currencies = await readCurrencies(deps, days)
      const currency = chooseCurrency(flags.currency, currencies)
      if (!currencies.some((one) => one.currency === currency)) {
        const names = currencies.map((one) => one.currency).join(', ')
        throw mistake(
          `impact claims: no orders in ${currency} from ${days.from} to ${days.to}${names === '' ? '' : `; there are some in ${names}`}`,
        )
      }
      const report = await readClaims(deps, { ...days, currency, currencies, by: flags.by })
      context.stdout.write(printClaims(report, flags.format))
    })
}
