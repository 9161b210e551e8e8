import { mistake } from '../../shared/domain/faults.ts'
import { formatMicros } from '../../shared/domain/money.ts'
import { formatNumber } from '../../shared/io/render.ts'
import type { ImpactDeps } from '../experiments.ts'
import { readClaimedByCohort, type ClaimedByCohort } from '../read-claims.ts'
import type { DeviceAssumptions } from './assumptions.ts'
import { productEntry, type PnlDocument } from './document.ts'
import { readEffects } from './effects.ts'
import type { Facts, YearlyEffect } from './facts.ts'
import { productLedger, type ProductLedger } from './ledger.ts'
import { monthOf } from './month.ts'
import { readFacts, readOtherCurrencies, readSpan, type FactsQuestion, type OtherCurrency } from './read-facts.ts'
import { statementOf } from './statement.ts'

export interface PnlQuestion {
  readonly assumptions: DeviceAssumptions
  /** All of the assumptions where left out. */
  readonly product?: string | undefined
  /** From the first activation to the last day of anything where left out. */
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly onProgress?: (done: number, all: number) => void
}

/** Throws a mistake where there is nothing to report. */
export async function readPnl(
  deps: ImpactDeps,
  { assumptions, product, onProgress, ...asked }: PnlQuestion,
): Promise<PnlDocument> {
  const { currency, horizonMonths, discountPerYear, requestsPerEvent } = assumptions
  const products = assumptions.products.filter((one) => product === undefined || one.product === product)
  const there = await readSpan(deps)
  const [from, to] = [asked.from ?? there?.from, asked.to ?? there?.to]
  if (there === null || from === undefined || to === undefined) {
    throw mistake('there are no devices yet, so there is nothing to report')
  }
  if (from > to) {
    throw mistake(`there is nothing from ${from} to ${to}: devices were activated from ${there.from} to ${there.to}`)
  }
  const question = { from, to, currency }
  const [read, claims, others] = [
    await readFacts(deps, question),
    await readClaimedByCohort(deps, question),
    await readOtherCurrencies(deps, question),
  ]
  const names = products.map((one) => one.product)
  const effects = await readEffects(deps, { ...question, products: names }, onProgress)
  const facts: Facts = { ...read, effects, claimed: claims.flatMap(claimedOf) }
  const span = { first: monthOf(from), last: monthOf(to) }
  const ledgers = products.map((one) => productLedger(one, facts, span, assumptions))
  return {
    ...{ report: 'pnl', currency, from, to, horizonMonths, discountPerYear, confidence: 0.95 },
    requestsPerEvent: Number(requestsPerEvent),
    assumptions: assumptions.assumptions,
    notes: [
      ...othersLeftOut(others, currency),
      ...(product === undefined ? notAssumed(read, names) : []),
      ...neverOwned(claims, names, question),
      ...ledgers.flatMap((ledger) => cut(ledger, horizonMonths)),
      ...effects.flatMap(notKnown),
    ],
    products: ledgers.map((ledger) => productEntry(statementOf(ledger, span, assumptions))),
  }
}

/** Claims of households that never had the product belong to no cohort. */
function claimedOf({ product, cohortMonth, year, claimedMicros }: ClaimedByCohort): Facts['claimed'] {
  return cohortMonth === '' ? [] : [{ product, cohort: monthOf(cohortMonth), year, micros: claimedMicros }]
}

function othersLeftOut(others: readonly OtherCurrency[], currency: string): string[] {
  return others.map(
    ({ currency: other, devices, priceMicros }) =>
      `left out: ${formatNumber(devices)} devices that were paid in ${other} (${formatMicros(priceMicros)} ${other}); this report is in ${currency}`,
  )
}

function notAssumed({ households }: Pick<Facts, 'households'>, names: readonly string[]): string[] {
  return households
    .filter(({ product }) => !names.includes(product))
    .map(({ product }) => `left out: ${product} has devices and stands in no assumption; add it to the file`)
}

function neverOwned(
  claims: readonly ClaimedByCohort[],
  names: readonly string[],
  { currency }: Pick<FactsQuestion, 'currency'>,
): string[] {
  return names.flatMap((product) => {
    const never = claims.filter((row) => row.product === product && row.cohortMonth === '')
    const micros = never.reduce((sum, { claimedMicros }) => sum + claimedMicros, 0n)
    return micros === 0n
      ? []
      : [`left out: ${formatMicros(micros)} ${currency} that ${product} claims of households that never had one`]
  })
}

function cut({ product, isCut }: ProductLedger, horizonMonths: number): string[] {
  return isCut ? [`left out: what ${product} brought and cost after month ${horizonMonths} of a device's life`] : []
}

function notKnown({ product, year, perOwner, whyNone }: YearlyEffect): string[] {
  if (perOwner === null) return [`${product} ${year}: no incremental margin, because ${whyNone}`]
  return Number.isFinite(perOwner.low) && Number.isFinite(perOwner.high)
    ? []
    : [`${product} ${year}: nothing bounds the incremental margin, because hardly more own it than in the holdout`]
}
