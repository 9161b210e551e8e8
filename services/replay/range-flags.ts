import { mistake } from '../shared/domain/faults.ts'

/** One end of a range as it was typed: an offset for each partition, or a time of the Kafka records. */
export type Bound =
  | { readonly kind: 'offsets'; readonly offsets: ReadonlyMap<number, number>; readonly text: string }
  | { readonly kind: 'time'; readonly timeMs: number; readonly text: string }

/** Reads `0:100,1:250` or a day or time, UTC. Throws a mistake for anything else. */
export function readBound(flag: '--from' | '--to', given: string): Bound {
  const text = given.trim()
  if (/^\d{1,9}:\d{1,15}(,\d{1,9}:\d{1,15})*$/.test(text)) {
    const pairs = text.split(',').map((pair) => pair.split(':').map(Number) as [number, number])
    const offsets = new Map(pairs)
    if (offsets.size < pairs.length) {
      throw mistake(`${flag} ${text} names a partition twice`)
    }
    return { kind: 'offsets', offsets, text }
  }
  const isTime = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?Z?)?$/.test(text)
  const timeMs = isTime ? Date.parse(text.includes('T') && !text.endsWith('Z') ? `${text}Z` : text) : NaN
  if (Number.isNaN(timeMs)) {
    throw mistake(
      `${flag} ${text} is neither offsets as 0:100,1:250 nor a time of records as 2026-03-02 or 2026-03-02T14:00Z`,
    )
  }
  return { kind: 'time', timeMs, text }
}
