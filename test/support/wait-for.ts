import { setTimeout as sleep } from 'node:timers/promises'

/** Asks again until the answer is something else than undefined or false, and returns it. Throws `what` when the time is over. */
export async function waitFor<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  options: { timeoutMs?: number; everyMs?: number } = {},
): Promise<T> {
  const { timeoutMs = 60_000, everyMs = 100 } = options
  const givesUpAt = performance.now() + timeoutMs
  let lastFault: unknown
  while (performance.now() < givesUpAt) {
    try {
      const answer = await ask()
      if (answer !== undefined && answer !== false) {
        return answer
      }
    } catch (thrown) {
      // A server that is just being restarted by the test is asked again.
      lastFault = thrown
    }
    await sleep(everyMs)
  }
  throw new Error(`waited ${timeoutMs} ms for: ${what}`, { cause: lastFault })
}
