import { setTimeout as sleep } from 'node:timers/promises'

import { messageOf, PipelineError } from '../shared/domain/faults.ts'
import type { Logger } from '../shared/io/log.ts'
import type { createDelivery } from './delivery.ts'
import type { AlertEngine } from './engine.ts'
import type { AlertNotice } from './notice.ts'
import type { Rule } from './rule.ts'

export interface RunDeps {
  readonly engine: AlertEngine
  readonly delivery: ReturnType<typeof createDelivery>
  /** What is to be told now, given the names of the rules in force. */
  notices(rules: ReadonlySet<string>, nowMs: number): Promise<AlertNotice[]>
  readonly everyMs: number
  readonly now: () => number
  readonly log: Logger
}

/** Rules that can be changed while they run. A refused change leaves the old ones in force. */
export interface RuleSource {
  readonly rules: readonly Rule[]
  reload(): void
}

export function createRuleSource(load: () => readonly Rule[], log: Logger): RuleSource {
  let rules = load()
  return {
    get rules() {
      return rules
    },
    reload() {
      try {
        rules = load()
        log.info({ rules: rules.length }, 'rules taken up')
      } catch (thrown) {
        log.error({ fault: messageOf(thrown) }, 'rules refused, the old ones stay in force')
      }
    },
  }
}

/**
 * Judges and tells until the signal, each in a loop of its own: catching up for a long time must not keep Alertmanager waiting,
 * which would take what it no longer hears of for resolved. A server that is away is asked again with the next look; what is
 * known to fire is told meanwhile. Throws only what no retry mends.
 */
export async function runAlerts(source: RuleSource, deps: RunDeps, signal: AbortSignal): Promise<void> {
  const failed = new AbortController()
  const stop = AbortSignal.any([signal, failed.signal])
  let notices: readonly AlertNotice[] = []

  async function judge(): Promise<void> {
    await deps.engine.advance(source.rules, deps.now(), stop)
  }

  async function tell(): Promise<void> {
    try {
      notices = await deps.notices(new Set(source.rules.map(({ name }) => name)), deps.now())
    } finally {
      await deps.delivery.deliver(notices)
    }
  }

  const loop = async (doing: string, look: () => Promise<void>) => {
    while (!stop.aborted) {
      try {
        await look()
      } catch (thrown) {
        if (!(thrown instanceof PipelineError && thrown.retryable)) {
          failed.abort()
          throw thrown
        }
        deps.log.warn({ doing, fault: thrown.message }, 'look failed, trying again')
      }
      await sleep(deps.everyMs, undefined, { signal: stop }).catch(() => undefined)
    }
  }
  await Promise.all([loop('judging', judge), loop('telling', tell)])
}
