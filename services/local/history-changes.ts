import { mistake } from '../shared/domain/faults.ts'

/** The whole history, or one country, one product, one product in one country. */
export interface ChangeScope {
  readonly country?: string
  readonly product?: string
}

interface Span {
  /** First and last day that it holds on, YYYY-MM-DD; before and after, everything is as without it. */
  readonly from: string
  readonly to: string
}

/** What is planted into a history, to be found again. Changes that overlap multiply. */
export type HistoryChange =
  /** The broad share is `factor` of what it was; the strict share stays (only assisted and entitlement requests change). */
  | (Span & ChangeScope & { readonly kind: 'broad_share'; readonly factor: number })
  /** The strict share is `factor` of what it was; what is not bought is assisted instead, so that a drop leaves the broad share. */
  | (Span & ChangeScope & { readonly kind: 'strict_share'; readonly factor: number })
  /** The broad share moves by this part of itself each day, compounded, the first day included: -0.004 is 0.4 % down a day. */
  | (Span & ChangeScope & { readonly kind: 'drift'; readonly perDay: number })
  /** All requests become `factor` as many. */
  | (Span & ChangeScope & { readonly kind: 'volume'; readonly factor: number })
  /** This part of each household's requests is made on another product, with the share that product has: a mix, no behaviour. */
  | (Span & {
      readonly kind: 'mix'
      readonly country?: string
      readonly fromProduct: string
      readonly toProduct: string
      readonly moved: number
    })
  /** A day without a row. */
  | (ChangeScope & { readonly kind: 'missing'; readonly day: string })

/** Factors on a product in a country on a day, 1 without a change. */
export interface PlantedFactors {
  readonly volume: number
  readonly broad: number
  readonly strict: number
}

export function plantedFactors(
  changes: readonly HistoryChange[],
  at: { day: string; country: string; product: string },
): PlantedFactors {
  let [volume, broad, strict] = [1, 1, 1]
  for (const change of changes) {
    if (change.kind === 'mix' || !holdsOn(change, at.day) || !isWithin(change, at)) {
      continue
    }
    switch (change.kind) {
      case 'volume':
        volume *= change.factor
        break
      case 'missing':
        volume = 0
        break
      case 'broad_share':
        broad *= change.factor
        break
      case 'drift':
        broad *= (1 + change.perDay) ** (dayNumber(at.day) - dayNumber(change.from) + 1)
        break
      case 'strict_share':
        strict *= change.factor
    }
  }
  return { volume, broad, strict }
}

/** Where the requests of a product's households are made on a day: part by product, which adds up to 1. */
export function plantedMix(
  changes: readonly HistoryChange[],
  at: { day: string; country: string; product: string },
): ReadonlyMap<string, number> {
  const parts = new Map([[at.product, 1]])
  for (const change of changes) {
    if (change.kind !== 'mix' || !holdsOn(change, at.day) || (change.country ?? at.country) !== at.country) {
      continue
    }
    const here = parts.get(change.fromProduct) ?? 0
    if (here > 0 && change.moved > 0) {
      parts.set(change.fromProduct, here * (1 - change.moved))
      parts.set(change.toProduct, (parts.get(change.toProduct) ?? 0) + here * change.moved)
    }
  }
  return parts
}

/** One line a change, in the order of their first days. */
export function describeChanges(changes: readonly HistoryChange[]): string[] {
  return [...changes]
    .sort((a, b) => spanOf(a).from.localeCompare(spanOf(b).from))
    .map((change) => {
      const { from, to } = spanOf(change)
      return `${from === to ? from : `${from} to ${to}`}: ${whatOf(change)} ${whereOf(change)}`
    })
}

/** Throws a mistake for a change that could never be found: an unknown country or product, a day that is none, an odd number. */
export function checkChanges(
  changes: readonly HistoryChange[],
  known: { countries: readonly string[]; products: readonly string[] },
): void {
  for (const change of changes) {
    const { from, to } = spanOf(change)
    const fail = (what: string): never => {
      throw mistake(`change ${change.kind} from ${from}: ${what}`)
    }
    if (Number.isNaN(dayNumber(from)) || Number.isNaN(dayNumber(to)) || from > to) {
      fail(`${from} to ${to} is no span of days; write YYYY-MM-DD, the earlier one first`)
    }
    if (change.country !== undefined && !known.countries.includes(change.country)) {
      fail(`no household lives in ${change.country}; there are ${known.countries.join(', ')}`)
    }
    const products = change.kind === 'mix' ? [change.fromProduct, change.toProduct] : [change.product]
    for (const product of products) {
      if (product !== undefined && !known.products.includes(product)) {
        fail(`no household has ${product}; there are ${known.products.join(', ')}`)
      }
    }
    if (change.kind === 'mix' ? !(change.moved >= 0 && change.moved <= 1) : !(sizeOf(change) >= 0)) {
      fail('a part moved lies between 0 and 1, a factor is 0 or more, and a drift takes less than the whole a day')
    }
  }
}

/** Days since 1970-01-01; NaN for what is no day. */
export function dayNumber(day: string): number {
  const number = /^\d{4}-\d\d-\d\d$/.test(day) ? Date.parse(day) / dayMs : Number.NaN
  // Date.parse takes 30 February for 2 March.
  return !Number.isNaN(number) && dayText(number) === day ? number : Number.NaN
}

export function dayText(number: number): string {
  return new Date(number * dayMs).toISOString().slice(0, 10)
}

const dayMs = 86_400_000

function spanOf(change: HistoryChange): Span {
  return change.kind === 'missing' ? { from: change.day, to: change.day } : change
}

function holdsOn(change: HistoryChange, day: string): boolean {
  const { from, to } = spanOf(change)
  return from <= day && day <= to
}

function isWithin(scope: ChangeScope, at: { country: string; product: string }): boolean {
  return (scope.country ?? at.country) === at.country && (scope.product ?? at.product) === at.product
}

type Sized = Exclude<HistoryChange, { kind: 'mix' }>

function sizeOf(change: Sized): number {
  return change.kind === 'drift' ? 1 + change.perDay : change.kind === 'missing' ? 0 : change.factor
}

function whatOf(change: HistoryChange): string {
  switch (change.kind) {
    case 'broad_share':
      return `broad share ${percent(change.factor - 1)}`
    case 'strict_share':
      return `strict share ${percent(change.factor - 1)}`
    case 'drift': {
      const days = dayNumber(change.to) - dayNumber(change.from) + 1
      return `broad share ${percent(change.perDay)} a day, ${percent((1 + change.perDay) ** days - 1)} at the end,`
    }
    case 'volume':
      return `requests ${percent(change.factor - 1)}`
    case 'mix':
      return `${tidy(change.moved * 100)} % of requests on ${change.fromProduct} move to ${change.toProduct}`
    case 'missing':
      return 'no data'
  }
}

function whereOf(change: HistoryChange): string {
  const product = change.kind === 'mix' ? undefined : change.product
  const country = change.country === undefined ? 'everywhere' : `in ${change.country}`
  return product === undefined ? country : `on ${product} ${country}`
}

const percent = (part: number) => `${part < 0 ? '' : '+'}${tidy(part * 100)} %`
const tidy = (value: number) => String(Number(value.toFixed(1)))
