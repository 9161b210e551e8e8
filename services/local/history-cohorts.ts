import { mistake } from '../shared/domain/faults.ts'
import { dayNumber } from './history-changes.ts'

export interface HistoryProduct {
  readonly product: string
  /** Of the households, relative to the other products': a household has one product. */
  readonly weight: number
  /** Mean share of requests that are direct, assisted or entitlement; above `strict`, below 1. */
  readonly broad: number
  /** Mean share of requests that are direct; below a third. */
  readonly strict: number
  /** What its broad requests are that are not direct. */
  readonly broadClass: 'assisted' | 'entitlement'
}

export interface HistoryCohorts {
  /** Households by country. */
  readonly countries: Readonly<Record<string, number>>
  readonly products: readonly HistoryProduct[]
  /** First days of the months that households were activated in, evenly; all before the history, for nobody joins or leaves. */
  readonly months: readonly string[]
  /** Part of the households with plan prime; the others have none. */
  readonly prime: number
}

/** Eight countries, four products, six months of activation before the first day: 192 cohorts of product, country and month. */
export function demoCohorts(firstDay: string, householdsPerCountry = 20_000): HistoryCohorts {
  const [year, month] = firstDay.split('-').map(Number) as [number, number]
  return {
    countries: Object.fromEntries(
      ['US', 'GB', 'DE', 'FR', 'IN', 'JP', 'BR', 'CA'].map((country) => [country, householdsPerCountry]),
    ),
    products: [
      { product: 'echo', weight: 50, broad: 0.06, strict: 0.01, broadClass: 'assisted' },
      { product: 'fire_tv', weight: 20, broad: 0.35, strict: 0.01, broadClass: 'entitlement' },
      { product: 'kindle', weight: 16, broad: 0.3, strict: 0.01, broadClass: 'entitlement' },
      { product: 'ring', weight: 14, broad: 0.4, strict: 0.005, broadClass: 'entitlement' },
    ],
    months: Array.from({ length: 6 }, (_, back) =>
      new Date(Date.UTC(year, month - 7 + back, 1)).toISOString().slice(0, 10),
    ),
    prime: 0.5,
  }
}

/** Throws a mistake for cohorts that can't be drawn. */
export function checkCohorts({ countries, products, months, prime }: HistoryCohorts): void {
  const bad =
    Object.values(countries).some((households) => !Number.isSafeInteger(households) || households < 0) ||
    products.some(
      ({ weight, broad, strict }) => !(weight >= 0 && strict >= 0 && strict < 1 / 3 && broad > strict && broad < 1),
    ) ||
    months.some((month) => Number.isNaN(dayNumber(month))) ||
    !(prime >= 0 && prime <= 1)
  if (bad || Object.keys(countries).length === 0 || products.length === 0 || months.length === 0) {
    throw mistake(
      'a history needs whole numbers of households, products with 0 <= strict < 1/3 and strict < broad < 1, and months as YYYY-MM-DD',
    )
  }
}
