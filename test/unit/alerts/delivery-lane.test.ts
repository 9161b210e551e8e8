import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { createAlertmanagerReceiver } from '../../../services/alerts/alertmanager.ts'
import { createDelivery } from '../../../services/alerts/delivery.ts'
import { changeKey } from '../../../services/alerts/delivery-plan.ts'
import type { AlertNotice } from '../../../services/alerts/notice.ts'
import { createWebhookReceiver } from '../../../services/alerts/webhook.ts'
import { createLogger } from '../../../services/shared/io/log.ts'
import { startAlertEndpoint, type Answer } from '../../support/alert-endpoint.ts'
import { createMemoryLedger, type LedgerFate } from '../../support/memory-ledger.ts'
import { notice } from '../../support/notices.ts'

const resendMs = 60_000
const hourMs = 3_600_000
const log = createLogger({ service: 'test', level: 'silent', pretty: false })
const countries = ['DE', 'FR']

type Step =
  /** An alert that fires is resolved, another one fires. */
  | { readonly do: 'turn'; readonly country: number; readonly name: number }
  | { readonly do: 'wait'; readonly minutes: number }
  /** What the next requests to one receiver get. */
  | { readonly do: 'answer'; readonly who: 'webhook' | 'alertmanager'; readonly answers: readonly Answer[] }
  /** What the next inserts meet. */
  | { readonly do: 'ledger'; readonly fates: readonly LedgerFate[] }
  | { readonly do: 'away'; readonly isAway: boolean }
  | { readonly do: 'restart' }
  | { readonly do: 'deliver' }

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('turn'), country: fc.nat(1), name: fc.nat(1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wait'), minutes: fc.constantFrom(1, 5, 20) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('answer'),
      who: fc.constantFrom('webhook', 'alertmanager'),
      answers: fc.array(fc.constantFrom<Answer>(200, 500, 429, 400, 401, 'cut'), { minLength: 1, maxLength: 6 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('ledger'),
      fates: fc.array(fc.constantFrom<LedgerFate>('ok', 'lost', 'unheard', 'killed'), { minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('away'), isAway: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart') }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('deliver') }) },
)

interface Told {
  readonly labels: { readonly country: string; readonly alertname: string }
  readonly startsAt: string
  readonly endsAt: string
}

test('over any course of alerts, faults and restarts every change is taken in its order and recorded once', async (t) => {
  const webhook = await startAlertEndpoint(t)
  const alertmanager = await startAlertEndpoint(t)
  const endpoints = { webhook, alertmanager }

  const property = fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
    const ledger = createMemoryLedger()
    const clock = { nowMs: Date.UTC(2026, 2, 3) }
    const nowMs = () => clock.nowMs
    const notices: AlertNotice[] = []
    /** In the order they were taken, as `changeKey`. */
    const told = { webhook: [] as string[], alertmanager: [] as string[] }
    const answers = { webhook: [] as Answer[], alertmanager: [] as Answer[] }
    let mayRepeat = false
    for (const who of ['webhook', 'alertmanager'] as const) {
      endpoints[who].requests.length = 0
      endpoints[who].answer = ({ body }) => {
        const answer = answers[who].shift() ?? 200
        mayRepeat ||= answer === 'cut'
        if (answer === 200 || answer === 'cut') {
          told[who].push(...keysOf(who, body))
        }
        return answer
      }
    }
    const recordedBy = (who: keyof typeof told) => ledger.rows.filter(({ receiver }) => receiver === who).map(changeKey)
    const keysOf = (who: keyof typeof told, body: unknown) =>
      (who === 'webhook' ? (body as { alerts: Told[] }).alerts : (body as Told[])).map((each) => {
        const ended = who === 'webhook' ? !each.endsAt.startsWith('0001') : Date.parse(each.endsAt) <= clock.nowMs
        const { fingerprint } = notice({ ...each.labels, hour: 0 })
        return changeKey({
          ...{ fingerprint, startsAtMs: Date.parse(each.startsAt), status: ended ? 'resolved' : 'firing' },
        })
      })
    const start = () =>
      createDelivery({
        receivers: [
          createWebhookReceiver({ url: webhook.url, timeoutMs: 5_000 }),
          createAlertmanagerReceiver({ url: alertmanager.url, timeoutMs: 5_000, resendMs, nowMs }),
        ],
        ...{ ledger, nowMs, resendMs, log, backoffMs: 0 },
      })
    let delivery = start()
    const deliver = async () => {
      await delivery.deliver(notices).catch((thrown: unknown) => {
        assert.match(String(thrown), /killed/)
        mayRepeat = true
        delivery = start()
      })
    }

    for (const [index, each] of steps.entries()) {
      switch (each.do) {
        case 'turn': {
          // Hours of the window, all before the clock's now; each turn is a window later than the one before.
          const hour = index / 8
          const alert = { country: countries[each.country]!, alertname: `Rule${each.name}` }
          const last = notices.findLast(
            ({ labels }) => labels['country'] === alert.country && labels['alertname'] === alert.alertname,
          )
          notices.push(
            last?.status === 'firing'
              ? { ...last, status: 'resolved', endsAtMs: last.startsAtMs + hourMs / 10 }
              : notice({ ...alert, hour }),
          )
          break
        }
        case 'wait':
          clock.nowMs += each.minutes * 60_000
          break
        case 'answer':
          answers[each.who].push(...each.answers)
          break
        case 'ledger':
          ledger.fates.push(...each.fates)
          break
        case 'away':
          ledger.isAway = each.isAway
          break
        case 'restart':
          // What was taken and is not recorded is forgotten with the process: it may come again.
          mayRepeat ||= told.webhook.some((key) => !recordedBy('webhook').includes(key))
          delivery = start()
          break
        case 'deliver':
          await deliver()
          break
      }
    }

    // All is well again.
    answers.webhook.length = answers.alertmanager.length = ledger.fates.length = 0
    ledger.isAway = false
    clock.nowMs += resendMs
    await deliver()
    clock.nowMs += resendMs
    const outcomes = await delivery.deliver(notices)

    assert.deepEqual(
      outcomes.map(({ taken, waiting, withheld, fault }) => ({ taken, waiting, withheld, fault })),
      [0, 1].map(() => ({ taken: 0, waiting: 0, withheld: 0, fault: null })),
    )
    const wanted = notices.map(changeKey)
    for (const who of ['webhook', 'alertmanager'] as const) {
      assert.deepEqual(recordedBy(who).toSorted(), wanted.toSorted(), `${who}: recorded once each`)
      assertOrder(who, firstOf(told[who]), wanted)
    }
    if (!mayRepeat) {
      assert.equal(new Set(told.webhook).size, told.webhook.length, 'a webhook is told nothing twice')
    }
    for (const chain of Map.groupBy(notices, ({ fingerprint }) => fingerprint).values()) {
      const last = told.alertmanager.findLast((key) => key.startsWith(chain[0]!.fingerprint))
      assert.equal(last, changeKey(chain.at(-1)!), 'Alertmanager ends with the newest state')
    }
  })
  await fc.assert(property, { numRuns: 150 })
})

/** Each key where it was told first. */
function firstOf(told: readonly string[]): string[] {
  return [...new Set(told)]
}

/** Every change of each alert was told, in the order in which they came to be. */
function assertOrder(who: string, told: readonly string[], wanted: readonly string[]): void {
  for (const fingerprint of new Set(wanted.map((key) => key.split(' ')[0]!))) {
    const of = (keys: readonly string[]) => keys.filter((key) => key.startsWith(fingerprint))
    assert.deepEqual(of(told), of(wanted), `${who}: in order`)
  }
}
