/** Spreads offsets over time: at most so many a second, whatever comes at once. */
export interface Throttle {
  /** Books offsets and returns how many milliseconds to wait before they may be taken. */
  book(offsets: number): number
}

/**
 * `perSecond` is asked at each booking, because a process' part of the rate is that of its partitions. What was not used in a
 * quiet time is not made up for. `nowMs` is monotonic.
 */
export function createThrottle({ perSecond, nowMs }: { perSecond: () => number; nowMs: () => number }): Throttle {
  let freeAtMs = 0
  return {
    book(offsets) {
      const startMs = Math.max(nowMs(), freeAtMs)
      freeAtMs = startMs + (offsets / perSecond()) * 1_000
      return startMs - nowMs()
    },
  }
}
