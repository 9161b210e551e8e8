import { createHmac } from 'node:crypto'

/** Bytes of a pseudonym: 64 bits keep a chance collision among 10 million devices under 1 in 300,000. */
export const pseudonymBytes = 8

/**
 * The pseudonym of a raw id (a device serial, a household id): the first 8 bytes of HMAC-SHA256. The same key gives the
 * same pseudonym in every process; without the key it can't be turned back by trying ids. Raw ids never leave a producer.
 */
export function pseudonym(key: Buffer, rawId: string): Buffer {
  // A copy, not a view: a view would keep the 32-byte digest alive for as long as the pseudonym.
  return Buffer.from(createHmac('sha256', key).update(rawId, 'utf8').digest().subarray(0, pseudonymBytes))
}

/** Devices ask many times, and an HMAC costs 4 us: the pseudonyms of this many raw ids are kept, then forgotten together. */
const remembered = 20_000

/** `pseudonym` under one key, for many events. Gives the same Buffer for an id it remembers: never write into it. */
export function createPseudonymizer(key: Buffer): (rawId: string) => Buffer {
  const known = new Map<string, Buffer>()
  return (rawId) => {
    let made = known.get(rawId)
    if (made === undefined) {
      if (known.size >= remembered) {
        known.clear()
      }
      made = pseudonym(key, rawId)
      known.set(rawId, made)
    }
    return made
  }
}
