import { alphabetPatterns, type Alphabet } from './alphabet.ts'
import type { StreamField } from './stream.ts'
import { readVarint } from './walker.ts'

const alphabetBits: Record<Alphabet, number> = { identifier: 1, upper: 2, tag: 4, printable: 8 }

/** For each byte, the alphabets it belongs to; a byte over 127 belongs to none. */
const alphabetTable = new Uint8Array(256)
for (const [alphabet, bit] of Object.entries(alphabetBits)) {
  for (let byte = 0; byte < 128; byte++) {
    if (alphabetPatterns[alphabet as Alphabet].test(String.fromCharCode(byte))) {
      alphabetTable[byte]! |= bit
    }
  }
}

/** Whether `bytes[start..end)` is a text that a field may hold. */
export type TextCheck = (bytes: Uint8Array, start: number, end: number) => boolean

/** What a field's description says of its text; undefined when it says nothing. */
export function textCheckOf({ text, oneOf }: Pick<StreamField, 'text' | 'oneOf'>): TextCheck | undefined {
  if (oneOf !== undefined) {
    const texts = new Set(oneOf)
    const latin = new TextDecoder('latin1')
    return (bytes, start, end) => texts.has(latin.decode(bytes.subarray(start, end)))
  }
  if (text === undefined) {
    return undefined
  }
  const { min, max } = text
  const bit = alphabetBits[text.alphabet]
  return (bytes, start, end) => {
    if (end - start < min || end - start > max) {
      return false
    }
    for (let position = start; position < end; position++) {
      if ((alphabetTable[bytes[position]!]! & bit) === 0) {
        return false
      }
    }
    return true
  }
}

/**
 * Checks the texts, then the numbers of a record against what its description says of them. Returns the index of the first field
 * that is out of bounds, or -1. `at` as `Walker.walk` fills it; an absent field passes. Rows are checked as they are read
 * (`rows.ts`); this is for what stands inside a field.
 */
export function createFieldChecks(fields: readonly StreamField[]): (body: Uint8Array, at: Int32Array) => number {
  const textChecks = fields.flatMap((field, index) => {
    const fits = textCheckOf(field)
    return fits === undefined ? [] : [{ slot: index * 2, fits }]
  })
  const numberChecks = fields.flatMap(({ bounds }, index) =>
    bounds === undefined ? [] : [{ slot: index * 2, min: bounds.min, max: bounds.max }],
  )
  return (body, at) => {
    for (const { slot, fits } of textChecks) {
      if (at[slot]! >= 0 && !fits(body, at[slot]!, at[slot + 1]!)) {
        return slot >> 1
      }
    }
    for (const { slot, min, max } of numberChecks) {
      if (at[slot]! >= 0) {
        const value = readVarint(body, at[slot]!)
        if (value < min || value > max) {
          return slot >> 1
        }
      }
    }
    return -1
  }
}
