import type { Interval } from '../shared/domain/stats/newcombe.ts'

/** How a table writes numbers of one kind. */
export interface Scale {
  readonly divisor: number
  readonly decimals: number
  /** The unit as a heading says it, e.g. `USD m`. */
  readonly says: string
}

const steps = [
  { from: 1e10, divisor: 1e9, short: 'bn' },
  { from: 1e7, divisor: 1e6, short: 'm' },
  { from: 1e4, divisor: 1e3, short: 'k' },
] as const

/** The unit in which the largest finite of these sums has at most five digits before the point. */
export function moneyScale(micros: readonly number[], currency: string): Scale {
  const step = stepOf(micros.map((sum) => sum / 1e6))
  return step === undefined
    ? { divisor: 1e6, decimals: 2, says: currency }
    : { divisor: 1e6 * step.divisor, decimals: 1, says: `${currency} ${step.short}` }
}

export function countScale(counts: readonly number[]): Scale {
  const step = stepOf(counts)
  return step === undefined
    ? { divisor: 1, decimals: 0, says: 'households' }
    : { divisor: step.divisor, decimals: 1, says: step.short }
}

/** `12.3 (11.9 to 12.8)`; never for Infinity. */
export function estimateText(estimate: number, interval: Interval | null, { divisor, decimals }: Scale): string {
  const text = (value: number) => {
    if (!Number.isFinite(value)) return 'never'
    // Plus nothing, so that a loss too small to be written is 0 and not -0.
    const rounded = Number((value / divisor).toFixed(decimals)) + 0
    return rounded.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals })
  }
  return interval === null || !Number.isFinite(estimate)
    ? text(estimate)
    : `${text(estimate)} (${text(interval.low)} to ${text(interval.high)})`
}

function stepOf(values: readonly number[]) {
  const largest = Math.max(0, ...values.filter(Number.isFinite).map(Math.abs))
  return steps.find(({ from }) => largest >= from)
}
