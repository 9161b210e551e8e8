import { formatMicros } from '../shared/domain/money.ts'
import { formatNumber } from '../shared/io/render.ts'
import type { Answer } from './answer.ts'
import { householdsWithoutPrime, mayBreakEven } from './paid-tier.ts'
import { serveMicrosPerMonth, type PrimeOffer, type TakeUp } from './scenario.ts'

/** What the file assumes in its fields, then in the sentences of whoever wrote it. */
export function assumedOf({ scenario }: Answer): string[] {
  const { prime, currency, trialMonths, requestsPerMonth } = scenario
  const trial = trialMonths === 0 ? '' : ` after a trial of ${trialMonths} ${trialMonths === 1 ? 'month' : 'months'}`
  return [
    `${formatNumber(scenario.households)} households${prime === null ? '' : `, ${percent(prime.share)} of them with Prime`}`,
    `paying ${formatMicros(scenario.priceMicros)} ${currency} a month${trial}: ${takeUpText(scenario.takeUp)}`,
    ...(prime === null
      ? []
      : [
          `free with Prime: ${takeUpText(prime.takeUp)}`,
          `a member of Prime pays ${formatMicros(prime.feeMicros)} a month, and ${memberMargin(prime)} of it is left`,
        ]),
    `${formatNumber(requestsPerMonth)} requests a month at ${formatMicros(scenario.perRequestMicros)}; ${formatMicros(scenario.fixedPerYearMicros)} fixed a year; discount ${percent(scenario.discountPerYear)} a year`,
    ...scenario.assumptions,
  ]
}

/** What was fitted, on what, and why there are no intervals if there are none. */
export function fittedOf({ scenario, fit, intervals, whyNone }: Answer): string[] {
  const { alive, customers } = scenario.retention
  const observed = `${alive.length - 1} months of ${customers === null ? 'a cohort' : `${formatNumber(customers)} customers`}`
  const says = {
    heterogeneous: `shifted-beta-geometric, alpha ${fit.alpha?.toFixed(3)}, beta ${fit.beta?.toFixed(3)}`,
    at_once_or_never: `${percent(fit.churn)} left at the first renewal and then hardly anybody, so nobody does`,
    constant: `retention does not rise with age, so ${percent(fit.churn)} leave each month`,
    nobody_left: 'nobody left, so nobody ever does',
    all_left_at_once: 'all left at the first renewal, so everybody does',
  }[fit.shape]
  const short =
    scenario.horizonMonths < alive.length - 1
      ? [`on all months observed, though the horizon of ${scenario.horizonMonths} is shorter`]
      : []
  // Measured: test/statistics/README.md.
  const narrow =
    fit.shape === 'constant' && intervals !== null
      ? ['intervals about a constant rate are too narrow: 84 to 92 % of those measured held the truth']
      : []
  return [
    `churn on ${observed}: ${says}`,
    ...short,
    ...narrow,
    ...(whyNone === null ? [] : [`no intervals: ${whyNone}`]),
  ]
}

/** What a figure alone does not say. */
export function warningsOf({ scenario, projection }: Answer): string[] {
  const { prime, currency, priceMicros } = scenario
  const { breakEvenPriceMicros, neededPrimeMembers: needed } = projection.figures
  const served = `${perMonth(serveMicrosPerMonth(scenario))} ${currency} a month to serve`
  const without = householdsWithoutPrime(scenario)
  const found: string[] = []
  if (breakEvenPriceMicros === null) {
    found.push('nobody pays within the horizon, so no price breaks even')
  } else if (!mayBreakEven(scenario, projection)) {
    found.push(`who pays ${formatMicros(priceMicros)} costs ${served}: it never breaks even, however many pay`)
  }
  if (prime === null || needed === null) {
    return found
  }
  if (needed === Infinity) {
    found.push(`a new Prime member leaves ${memberMargin(prime)} and costs ${served}: no number of them is enough`)
  } else if (needed > without) {
    found.push(`it needs more new Prime members than there are households without Prime, ${formatNumber(without)}`)
  }
  return found
}

function memberMargin({ feeMicros, margin }: PrimeOffer): string {
  return perMonth(Number(feeMicros) * margin)
}

function takeUpText({ kind, share }: TakeUp): string {
  return kind === 'once'
    ? `${percent(share)} take it, all in month 1`
    : `each month ${percent(share)} of those who never had it`
}

const perMonth = (micros: number) => formatMicros(BigInt(Math.round(micros)))
const percent = (share: number) => `${Number((share * 100).toPrecision(4))} %`
