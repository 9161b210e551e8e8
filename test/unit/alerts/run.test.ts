import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { AlertNotice } from '../../../services/alerts/notice.ts'
import { createRuleSource, runAlerts } from '../../../services/alerts/run.ts'
import { PipelineError } from '../../../services/shared/domain/faults.ts'
import { createLogger } from '../../../services/shared/io/log.ts'
import { makeRule } from '../../support/alert-rules.ts'

const log = createLogger({ service: 'test', level: 'silent', pretty: false })
const rule = makeRule({})
const fires: AlertNotice = {
  ...{ fingerprint: 'a', status: 'firing', startsAtMs: 1, endsAtMs: null, labels: {}, annotations: {} },
}
const away = (retryable = true) =>
  Promise.reject(new PipelineError('a server is away', { code: 'clickhouse_unreachable', retryable }))

/** Looks, each with what is away in it; returns what was told in each. */
async function told(looks: readonly (readonly ('engine' | 'record' | 'receiver')[])[]): Promise<string[][]> {
  const stop = new AbortController()
  const heard: string[][] = []
  let look = -1
  const isAway = (what: 'engine' | 'record' | 'receiver') => looks[look]!.includes(what)
  await runAlerts(
    createRuleSource(() => [rule], log),
    {
      engine: {
        advance() {
          look++
          return isAway('engine') ? away() : Promise.resolve({ ticks: [], lagging: new Map() })
        },
      },
      delivery: {
        deliver(notices: readonly AlertNotice[]) {
          heard.push(notices.map(({ fingerprint, status }) => `${fingerprint} ${status}`))
          if (look + 1 === looks.length) {
            stop.abort()
          }
          return isAway('receiver') ? away() : Promise.resolve([])
        },
      },
      notices: () => (isAway('record') ? away() : Promise.resolve([fires])),
      ...{ everyMs: 1, now: () => 1_000, log },
    },
    stop.signal,
  )
  return heard
}

test('what fires is told on while judging fails, and from memory while the record is away', async () => {
  const all = [[], ['engine'], ['engine', 'record'], ['receiver'], []] as const
  assert.deepEqual(await told(all), [['a firing'], ['a firing'], ['a firing'], ['a firing'], ['a firing']])
})

test('tells nothing of what it has never read', async () => {
  assert.deepEqual(await told([['engine', 'record'], []]), [[], ['a firing']])
})

test('ends with a fault that no retry mends', async () => {
  const source = createRuleSource(() => [rule], log)
  const engine = { advance: () => away(false) }
  const deps = { engine, delivery: { deliver: () => Promise.resolve([]) }, notices: () => Promise.resolve([]) }
  const run = runAlerts(source, { ...deps, everyMs: 1, now: () => 1, log }, new AbortController().signal)
  await assert.rejects(run, /a server is away/)
})
