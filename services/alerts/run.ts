import { setTimeout as sleep } from 'node:timers/promises'

import { messageOf, PipelineError } from '../shared/domain/faults.ts'
import type { ClickHouse } from '../shared/io/clickhouse.ts'
import type { Logger } from '../shared/io/log.ts'
import type { createDelivery } from './delivery.ts'
import type { AlertEngine } from './engine.ts'
import { readNotices } from './notices.ts'
import type { Rule } from './rule.ts'

export interface RunDeps {
  readonly engine: AlertEngine
  readonly delivery: ReturnType<typeof createDelivery>
  readonly clickHouse: ClickHouse
  readonly database: string
  readonly everyMs: number
  readonly now: () => number
  readonly log: Logger
  /** Called with each look's outcome; tests and the demo wait for it. */
  readonly onLook?: (look: { ticks: number; firing: number }) => void
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
 * Judges and tells until the signal. A server that is away is asked again with the next look: what was recorded is told then, and
 * windows that became complete meanwhile are judged one after the other. Throws only what no retry mends.
 */
export async function runAlerts(source: RuleSource, deps: RunDeps, signal: AbortSignal): Promise<void> {
  const { engine, delivery, log } = deps
  while (!signal.aborted) {
    try {
      const { ticks } = await engine.advance(source.rules, deps.now())
      const names = new Set(source.rules.map(({ name }) => name))
      const notices = await readNotices(deps, names, deps.now())
      await delivery.deliver(notices)
      deps.onLook?.({ ticks: ticks.length, firing: notices.filter(({ status }) => status === 'firing').length })
    } catch (thrown) {
      if (!(thrown instanceof PipelineError && thrown.retryable)) {
        throw thrown
      }
      log.warn({ fault: thrown.message }, 'look failed, trying again')
    }
    await sleep(deps.everyMs, undefined, { signal }).catch(() => undefined)
  }
}
