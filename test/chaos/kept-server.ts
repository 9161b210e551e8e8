/** A server of the run as a supervisor keeps it: what ends by itself is started again, and counted. */
import { setTimeout as sleep } from 'node:timers/promises'

import type { ManagedServer } from '../../services/local/managed-server.ts'

export interface KeptServer {
  /** SIGKILL, what is done while it is away, and its start. */
  killWhile(away: () => Promise<void>): Promise<void>
  /** How often it ended without a kill. */
  readonly ownEnds: () => number
  /** Resolves when nothing starts it any more. */
  release(): Promise<void>
}

const lookMs = 100

export function keepRunning(name: string, server: ManagedServer, say: (line: string) => void): KeptServer {
  let ends = 0
  let released = false
  let turn = Promise.resolve()
  /** One after the other: a kill must not meet a start. */
  const inTurn = (work: () => Promise<void>) => (turn = turn.then(work))

  async function watch(): Promise<void> {
    while (!released) {
      await sleep(lookMs)
      await inTurn(async () => {
        if (!released && !isRunning(server)) {
          ends += 1
          say(`  ${name} ended by itself and is started again`)
          await server.start()
        }
      })
    }
  }
  const watching = watch()
  // A start that fails ends the watching; the run then waits in vain for its recovery and says so.
  watching.catch((thrown: unknown) => say(`  ${String(thrown)}`))

  return {
    ownEnds: () => ends,
    killWhile: (away) =>
      inTurn(async () => {
        await server.kill('SIGKILL')
        try {
          await away()
        } finally {
          await server.start()
        }
      }),
    async release() {
      released = true
      await watching.catch(() => undefined)
    },
  }
}

function isRunning(server: ManagedServer): boolean {
  try {
    return server.pid > 0
  } catch {
    return false
  }
}
