import type { Reading, Refusal } from '../support/avro-reference.ts'

/** The walker's bound on nesting; the body's own record does not count. */
const depthMax = 64 + 1

/**
 * Where avro-js takes a body that the walker refuses, and the specification (or a bound of the walker's own) is on the
 * walker's side. Nothing else is excused: the first thing wrong in such a body must be one of these. avro-js never refuses
 * what the walker takes.
 */
export const knownDifferences: Partial<Record<Refusal | 'too deep', string>> = {
  'boolean beyond 1': 'avro-js takes any byte but 0 for true; ClickHouse refuses it',
  'int beyond 32 bits': 'avro-js reads an int as it reads a long',
  'varint beyond 64 bits': 'avro-js reads a varint for as long as it goes on, and drops the bits',
  'wrong block size': 'avro-js skips the byte size of a block without a look at it',
  'negative length of text': 'avro-js goes back by a negative length of text and reads on from there',
  'length of text cut off':
    'past the end avro-js reads zeros: a length cut off may be negative, and leads back into the body',
  'more items than bytes': 'avro-js believes any count of items that take no bytes; our bound keeps the walk short',
  'too deep': 'avro-js has no bound but its stack; the walker stops at 64 types within each other',
}

/** Why avro-js may take this body though the walker refuses it, or undefined when it may not. */
export function excuse(reading: Reading): string | undefined {
  if (typeof reading.end === 'number') {
    return reading.deepest > depthMax ? 'too deep' : undefined
  }
  return knownDifferences[reading.end] === undefined ? undefined : reading.end
}
