import type { Facts } from '../../services/impact/pnl/facts.ts'
import { productEntry, type PnlDocument } from '../../services/impact/pnl/document.ts'
import { productLedger } from '../../services/impact/pnl/ledger.ts'
import { monthOf } from '../../services/impact/pnl/month.ts'
import { statementOf } from '../../services/impact/pnl/statement.ts'
import { noFacts, plainAssumptions, plainProduct } from './pnl-facts.ts'

const span = { first: monthOf('2017-11'), last: monthOf('2018-02') }

/** The report of November 2017 to February 2018 of some products of these facts, each with the plain assumptions. */
export function documentOf(facts: Partial<Facts>, products: readonly string[] = ['echo']): PnlDocument {
  return {
    ...{ report: 'pnl', currency: 'USD', from: '2017-11-01', to: '2018-02-28', horizonMonths: 60, discountPerYear: 0 },
    ...{ requestsPerEvent: 2, confidence: 0.95, assumptions: ['a sentence of the file'], notes: ['a note'] },
    products: products.map((product) =>
      productEntry(
        statementOf(
          productLedger({ ...plainProduct, product }, { ...noFacts, ...facts }, span, plainAssumptions),
          span,
          plainAssumptions,
        ),
      ),
    ),
  }
}

/** Devices of 20 households a month that lose 20 each, earn 30 each in margin that is claimed, and 10 that is not made up. */
export function plainFacts(
  product = 'echo',
  households = 20,
): Pick<Facts, 'households' | 'sales' | 'owners' | 'claimed' | 'effects'> {
  const cohorts = [0, 1].map((at) => monthOf('2017-11') + at)
  const usd = (units: number) => BigInt(units) * 1_000_000n
  const perOwner = { micros: 10e6, low: 4e6, high: 16e6 }
  return {
    households: [{ product, households: 2 * households }],
    sales: cohorts.map((cohort) => ({
      ...{ product, cohort, households, devices: households },
      ...{ priceMicros: usd(50 * households), costOfGoodsMicros: usd(70 * households) },
    })),
    owners: cohorts.map((cohort) => ({ product, cohort, month: cohort, change: households, days: households * 10 })),
    claimed: cohorts.map((cohort) => ({ product, cohort, year: 2017, micros: usd(30 * households) })),
    effects: [2017, 2018].map((year) => ({ product, year, perOwner, whyNone: null, upToYear: perOwner })),
  }
}
