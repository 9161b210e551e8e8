import { setTimeout as sleep } from 'node:timers/promises'

import { messageOf, PipelineError } from '../shared/domain/faults.ts'
import type { Logger } from '../shared/io/log.ts'
import type { VerbProcess } from '../shared/io/verb-process.ts'
import { createCompletion, type CompletionDeps, type ReplayProgress } from './completion.ts'

const lookEveryMs = 500

export interface WatchDeps extends CompletionDeps {
  readonly outageMaxMs: number
  onProgress(progress: ReplayProgress): void
}

/** Resolves when every partition's range is in the ledger to its end, or at the signal; a server may be away for a while. */
export async function watchUntilComplete(deps: WatchDeps, signal: AbortSignal): Promise<boolean> {
  const completion = createCompletion(deps)
  let awaySinceMs: number | undefined
  while (!signal.aborted) {
    try {
      const progress = await completion.look()
      awaySinceMs = undefined
      deps.onProgress(progress)
      if (progress.open.size === 0) {
        return true
      }
    } catch (thrown) {
      awaySinceMs ??= performance.now()
      const isOver = performance.now() - awaySinceMs > deps.outageMaxMs
      if (!(thrown instanceof PipelineError) || !thrown.retryable || isOver) {
        throw thrown
      }
      deps.log.warn({ fault: messageOf(thrown) }, 'a server is away, looking again')
    }
    await sleep(lookEveryMs, undefined, { signal }).catch(() => undefined)
  }
  return false
}

/**
 * Runs the work (this process' replayer, or children) beside the watch, and ends each when the other ends: the work when all is
 * complete, the watch when the work has failed. Returns whether all is complete.
 */
export async function runUntilComplete(
  work: (signal: AbortSignal) => Promise<void>,
  watch: (signal: AbortSignal) => Promise<boolean>,
  signal: AbortSignal,
): Promise<boolean> {
  const over = new AbortController()
  const either = AbortSignal.any([signal, over.signal])
  const ending = <T>(running: Promise<T>) => running.finally(() => over.abort())
  const [worked, watched] = await Promise.allSettled([ending(work(either)), ending(watch(either))])
  for (const result of [worked, watched]) {
    if (result.status === 'rejected') {
      throw result.reason
    }
  }
  return watched.status === 'fulfilled' && watched.value
}

/** Children that replay together, until the signal. One that ends by itself with a fault ends them all. */
export async function runChildren(
  start: (index: number) => Promise<VerbProcess>,
  { processes, log }: { processes: number; log: Logger },
  signal: AbortSignal,
): Promise<void> {
  const children: VerbProcess[] = []
  try {
    for (let started = 0; started < processes && !signal.aborted; started++) {
      children.push(await start(started))
    }
    log.info({ pids: children.map(({ pid }) => pid) }, 'processes started')
    const stopped = new Promise<undefined>((resolve) => {
      if (signal.aborted) {
        resolve(undefined)
      }
      signal.addEventListener('abort', () => resolve(undefined), { once: true })
    })
    const died = children.map(async ({ ended }) => (await ended) ?? (await stopped))
    const how = await Promise.race([stopped, ...died])
    if (how !== undefined) {
      throw new PipelineError(
        `a process of this replay ended (${how}); what it said stands above. The same command goes on where it stopped`,
        { code: 'stack_failed' },
      )
    }
  } finally {
    await Promise.allSettled(children.map((child) => child.stop()))
  }
}
