/** A sum in millionths of a currency's unit, exact. */
export interface Money {
  readonly micros: bigint
  /** ISO 4217, e.g. USD. */
  readonly currency: string
}

/** `8.00 USD`, at most six decimals; null for anything else. */
export function parseMoney(text: string): Money | null {
  const found = /^(\d{1,12})(?:\.(\d{1,6}))? ([A-Z]{3})$/.exec(text)
  return found === null ? null : { micros: BigInt(found[1]! + (found[2] ?? '').padEnd(6, '0')), currency: found[3]! }
}

/** `1,208.00`, or as many decimals as it needs. */
export function formatMicros(micros: bigint): string {
  const digits = String(micros < 0n ? -micros : micros).padStart(7, '0')
  const decimals = digits.slice(-6).replace(/0{1,4}$/, '')
  return `${micros < 0n ? '-' : ''}${digits.slice(0, -6).replace(/\B(?=(\d{3})+$)/g, ',')}.${decimals}`
}
