/** Costs are positive and taken off; all in micro-units of one currency, exact. */
export interface Amounts {
  /** What was paid for the devices, those that came back included. */
  readonly priceMicros: bigint
  readonly costOfGoodsMicros: bigint
  readonly freightMicros: bigint
  /** Prices paid back and handling, less the cost of goods that is not lost. */
  readonly returnsMicros: bigint
  readonly costToServeMicros: bigint
  /** Downstream margin as the product's team claims it. */
  readonly claimedMicros: bigint
  /** Downstream margin that there would not be without the product; null where nothing says so. */
  readonly incremental: Estimate | null
}

export interface Estimate {
  readonly micros: bigint
  /** 95 %; null: the data set no bound. */
  readonly low: bigint | null
  readonly high: bigint | null
}

export const nothing: Amounts = {
  priceMicros: 0n,
  costOfGoodsMicros: 0n,
  freightMicros: 0n,
  returnsMicros: 0n,
  costToServeMicros: 0n,
  claimedMicros: 0n,
  incremental: { micros: 0n, low: 0n, high: 0n },
}

/** Without any downstream margin. */
export function deviceProfitOf(amounts: Amounts): bigint {
  const { priceMicros, costOfGoodsMicros, freightMicros, returnsMicros, costToServeMicros } = amounts
  return priceMicros - costOfGoodsMicros - freightMicros - returnsMicros - costToServeMicros
}

export function claimedProfitOf(amounts: Amounts): bigint {
  return deviceProfitOf(amounts) + amounts.claimedMicros
}

export function incrementalProfitOf(amounts: Amounts): Estimate | null {
  const certain = deviceProfitOf(amounts)
  return amounts.incremental === null
    ? null
    : addEstimates(amounts.incremental, { micros: certain, low: certain, high: certain })
}

/** Bounds of estimates that belong together are added, which is right if they err together and else too wide. */
export function sumAmounts(list: readonly Amounts[]): Amounts {
  const sum = (of: (amounts: Amounts) => bigint) => list.reduce((total, amounts) => total + of(amounts), 0n)
  return {
    priceMicros: sum((one) => one.priceMicros),
    costOfGoodsMicros: sum((one) => one.costOfGoodsMicros),
    freightMicros: sum((one) => one.freightMicros),
    returnsMicros: sum((one) => one.returnsMicros),
    costToServeMicros: sum((one) => one.costToServeMicros),
    claimedMicros: sum((one) => one.claimedMicros),
    incremental: list.reduce<Estimate | null>(
      (total, { incremental }) => (total === null || incremental === null ? null : addEstimates(total, incremental)),
      nothing.incremental,
    ),
  }
}

export function addEstimates(a: Estimate, b: Estimate): Estimate {
  const bound = (x: bigint | null, y: bigint | null) => (x === null || y === null ? null : x + y)
  return { micros: a.micros + b.micros, low: bound(a.low, b.low), high: bound(a.high, b.high) }
}
