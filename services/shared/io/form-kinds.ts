import { z } from 'zod'

/** What fields of several files that people write are made of. `advice` is the second half of a sentence: what to write. */
export const percent = (advice: string) => z.string(advice).regex(/^\d{1,4}(\.\d{1,6})? ?%$/, advice)

/** Of 10% or 0.1. Exact: the decimal point is moved in the text, so that 0.1% is 0.001 and not its neighbour. */
export function numberOfShare(given: string | number): number {
  return typeof given === 'number' ? given : Number(`${given.replace(/ ?%$/, '')}e-2`)
}

export const wholeField = (min: number, max: number) => {
  const advice = `write a whole number of ${min} to ${max}`
  return z.int(advice).min(min, advice).max(max, advice)
}
