import { mistake } from '../shared/domain/faults.ts'
import { inWindow } from '../shared/pipeline/credit-sql.ts'
import type { Days, ImpactDeps } from './experiments.ts'

/** Order lines of one currency. */
export interface CurrencySum {
  readonly currency: string
  readonly lines: number
  readonly marginMicros: bigint
}

/** Those of some days, most lines first. */
export async function readCurrencies({ clickHouse, database }: ImpactDeps, { from, to }: Days): Promise<CurrencySum[]> {
  const rows = await clickHouse.rows<{ currency: string; lines: number; margin: string }>(
    `SELECT currency, count() AS lines, toString(sum(toInt128(margin_micros))) AS margin
     FROM ${database}.ecosystem_orders
     WHERE ${inWindow}
     GROUP BY currency ORDER BY lines DESC, currency`,
    { from, to },
  )
  return rows.map(({ currency, lines, margin }) => ({ currency, lines, marginMicros: BigInt(margin) }))
}

/** The currency of a report: the one that is asked for, or the only one there is. Amounts are never converted. */
export function chooseCurrency(asked: string | undefined, found: readonly CurrencySum[]): string {
  if (asked !== undefined) {
    return asked
  }
  const [only, ...others] = found
  if (only === undefined) {
    throw mistake('there are no orders on these days, so there is nothing to report')
  }
  if (others.length > 0) {
    const names = found.map(({ currency }) => currency).join(', ')
    throw mistake(`orders are in several currencies and nothing here converts; name one with --currency: ${names}`)
  }
  return only.currency
}
