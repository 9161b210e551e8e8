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

/**
 * Checks the texts, then the numbers, then the choices of an event against what its stream's description says of them. Returns the
 * index of the first field that is out of bounds, or -1. On the hot path. `at` as `Walker.walk` fills it; an absent field passes.
 */
export function createFieldChecks(fields: readonly StreamField[]): (body: Uint8Array, at: Int32Array) => number {
  const textChecks = fields.flatMap(({ text }, index) =>
    text === undefined ? [] : [{ slot: index * 2, min: text.min, max: text.max, bit: alphabetBits[text.alphabet] }],
  )
  const numberChecks = fields.flatMap(({ bounds }, index) =>
    bounds === undefined ? [] : [{ slot: index * 2, min: bounds.min, max: bounds.max }],
  )
  const choices = fields.flatMap(({ oneOf }, index) =>
    oneOf === undefined ? [] : [{ slot: index * 2, texts: new Set(oneOf) }],
  )
  const latin = new TextDecoder('latin1')
  return (body, at) => {
    for (let index = 0; index < textChecks.length; index++) {
      const { slot, min, max, bit } = textChecks[index]!
      const start = at[slot]!
      if (start < 0) {
        continue
      }
      const end = at[slot + 1]!
      if (end - start < min || end - start > max) {
        return slot >> 1
      }
      for (let position = start; position < end; position++) {
        if ((alphabetTable[body[position]!]! & bit) === 0) {
          return slot >> 1
        }
      }
    }
    for (let index = 0; index < numberChecks.length; index++) {
      const { slot, min, max } = numberChecks[index]!
      if (at[slot]! >= 0) {
        const value = readVarint(body, at[slot]!)
        if (value < min || value > max) {
          return slot >> 1
        }
      }
    }
    for (let index = 0; index < choices.length; index++) {
      const { slot, texts } = choices[index]!
      if (at[slot]! >= 0 && !texts.has(latin.decode(body.subarray(at[slot], at[slot + 1])))) {
        return slot >> 1
      }
    }
    return -1
  }
}
