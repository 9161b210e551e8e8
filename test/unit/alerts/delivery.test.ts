import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'

import { createAlertmanagerReceiver } from '../../../services/alerts/alertmanager.ts'
import { createDelivery } from '../../../services/alerts/delivery.ts'
import { noticesPerSendMax } from '../../../services/alerts/delivery-plan.ts'
import type { AlertNotice, Receiver } from '../../../services/alerts/notice.ts'
import { createWebhookReceiver } from '../../../services/alerts/webhook.ts'
import { createLogger } from '../../../services/shared/io/log.ts'
import { startAlertEndpoint, type AlertEndpoint } from '../../support/alert-endpoint.ts'
import { createMemoryLedger, type MemoryLedger } from '../../support/memory-ledger.ts'
import { notice } from '../../support/notices.ts'
import { waitFor } from '../../support/wait-for.ts'

const minuteMs = 60_000
const resendMs = minuteMs
const log = createLogger({ service: 'test', level: 'silent', pretty: false })

/** A webhook and an Alertmanager, each an endpoint of its own, and a clock that the test moves. */
async function world(t: TestContext, ledger: MemoryLedger = createMemoryLedger()) {
  const webhook = await startAlertEndpoint(t)
  const alertmanager = await startAlertEndpoint(t)
  const clock = { nowMs: Date.UTC(2026, 2, 3) }
  const nowMs = () => clock.nowMs
  const all = {
    webhook: createWebhookReceiver({ url: webhook.url, timeoutMs: 500 }),
    alertmanager: createAlertmanagerReceiver({ url: alertmanager.url, timeoutMs: 500, resendMs, nowMs }),
  }
  /** A process: what it remembers is gone with it, the ledger stays. */
  const start = (receivers: readonly Receiver[] = Object.values(all)) =>
    createDelivery({ receivers, ledger, nowMs, resendMs, log, backoffMs: 1 })
  return { webhook, alertmanager, all, clock, ledger, start }
}

interface Told {
  readonly labels: { readonly country: string }
  readonly startsAt: string
  readonly endsAt: string
  readonly status?: string
}

/** What a webhook took, in order: `DE@03 firing`. */
function toldWebhook({ requests }: AlertEndpoint): string[] {
  return requests
    .filter(({ taken }) => taken)
    .flatMap(({ body }) => (body as { alerts: Told[] }).alerts)
    .map(({ labels, startsAt, status }) => `${labels.country}@${startsAt.slice(11, 13)} ${status}`)
}

/** The same of an Alertmanager, which knows by the end whether an alert fires. */
function toldAlertmanager({ requests }: AlertEndpoint): string[] {
  return requests
    .filter(({ taken }) => taken)
    .flatMap(({ body }) => body as Told[])
    .map(({ labels, startsAt, endsAt }) => {
      const status = endsAt.startsWith('2026-03-02') ? 'resolved' : 'firing'
      return `${labels.country}@${startsAt.slice(11, 13)} ${status}`
    })
}

const firing = notice({ country: 'DE', hour: 3 })
const resolved = notice({ country: 'DE', hour: 3, untilHour: 6 })
const again = notice({ country: 'DE', hour: 9 })

test('tells a webhook of each firing and resolving once, whatever the process does', async (t) => {
  const { webhook, all, ledger, start } = await world(t)
  const delivery = start([all.webhook])
  const [first] = await delivery.deliver([firing])
  assert.deepEqual(first, { receiver: 'webhook', taken: 1, repeated: 0, waiting: 0, withheld: 0, fault: null })
  await delivery.deliver([firing])
  await start([all.webhook]).deliver([firing, resolved])
  await start([all.webhook]).deliver([firing, resolved, again])
  await start([all.webhook]).deliver([firing, resolved, again])
  assert.deepEqual(toldWebhook(webhook), ['DE@03 firing', 'DE@03 resolved', 'DE@09 firing'])
  assert.equal(ledger.rows.length, 3)
})

test('tells a pair that nobody took in its order, in two requests', async (t) => {
  const { webhook, all, start } = await world(t)
  await start([all.webhook]).deliver([resolved, again, firing])
  assert.deepEqual(toldWebhook(webhook), ['DE@03 firing', 'DE@03 resolved', 'DE@09 firing'])
  assert.equal(webhook.requests.length, 3)
})

test('tells nobody that an alert is resolved of which nobody was told', async (t) => {
  const { webhook, all, start } = await world(t)
  const [outcome] = await start([all.webhook]).deliver([resolved])
  assert.deepEqual([outcome!.taken, outcome!.withheld], [0, 1])
  assert.equal(webhook.requests.length, 0)
})

test('tells of one rule in one request, and of a hundred cohorts and more in several', async (t) => {
  const { webhook, alertmanager, start } = await world(t)
  const many = Array.from({ length: noticesPerSendMax + 1 }, (_, index) => notice({ country: `C${index}`, hour: 3 }))
  await start().deliver([...many, notice({ country: 'DE', hour: 3, alertname: 'Other' })])
  assert.deepEqual(
    webhook.requests.map(({ body }) => (body as { alerts: unknown[] }).alerts.length),
    [noticesPerSendMax, 1, 1],
  )
  assert.deepEqual(
    alertmanager.requests.map(({ body }) => (body as unknown[]).length),
    [noticesPerSendMax, 2],
  )
})

test('tries again after a 500, within the call', async (t) => {
  const { webhook, all, ledger, start } = await world(t)
  webhook.answer = ({ number }) => (number < 2 ? 500 : 200)
  const [outcome] = await start([all.webhook]).deliver([firing])
  assert.deepEqual([outcome!.taken, outcome!.fault], [1, null])
  assert.equal(webhook.requests.length, 3)
  assert.equal(ledger.rows.length, 1)
})

test('loses nothing while a receiver is down, asks it once a call meanwhile, and holds no other up', async (t) => {
  const { webhook, alertmanager, clock, ledger, start } = await world(t)
  const delivery = start()
  await webhook.close()
  const [hook, manager] = await delivery.deliver([firing])
  assert.deepEqual([hook!.taken, hook!.waiting, hook!.fault?.code], [0, 1, 'receiver_unreachable'])
  assert.deepEqual([manager!.taken, manager!.fault], [1, null])
  clock.nowMs += 10 * minuteMs
  await delivery.deliver([firing, resolved, again])
  await webhook.reopen()
  webhook.answer = () => 503
  await delivery.deliver([firing, resolved, again])
  assert.equal(webhook.requests.length, 1, 'one attempt where the last call failed')
  webhook.answer = () => 200
  const [back] = await delivery.deliver([firing, resolved, again])
  assert.deepEqual([back!.taken, back!.waiting, back!.fault], [3, 0, null])
  assert.deepEqual(toldWebhook(webhook), ['DE@03 firing', 'DE@03 resolved', 'DE@09 firing'])
  assert.deepEqual(toldAlertmanager(alertmanager), ['DE@03 firing', 'DE@03 resolved', 'DE@09 firing'])
  assert.equal(ledger.rows.length, 6)
})

test('serves the others at once while one receiver never answers', async (t) => {
  const { webhook, alertmanager, start } = await world(t)
  webhook.answer = () => 'hang'
  const outcomes = start().deliver([firing])
  await waitFor('the one that answers', () => alertmanager.requests.length > 0, { everyMs: 5 })
  assert.ok(webhook.requests.length <= 1, 'the first attempt still hangs')
  const [hook, manager] = await outcomes
  assert.equal(hook!.fault?.code, 'receiver_unreachable')
  assert.equal(manager!.fault, null)
})

test('tells Alertmanager again what fires, at every interval and at once after a restart', async (t) => {
  const { alertmanager, all, clock, ledger, start } = await world(t)
  const delivery = start([all.alertmanager])
  const startedMs = clock.nowMs
  for (let second = 0; second <= 180; second += 20) {
    clock.nowMs = startedMs + second * 1_000
    await delivery.deliver([firing])
  }
  assert.equal(alertmanager.requests.length, 4)
  assert.equal(new Set(alertmanager.requests.map(({ body }) => (body as Told[])[0]!.startsAt)).size, 1)
  await start([all.alertmanager]).deliver([firing])
  assert.equal(alertmanager.requests.length, 5)
  assert.equal(ledger.rows.length, 1)
})

test('tells Alertmanager of what is resolved until it is taken, and then for 15 minutes more', async (t) => {
  const { alertmanager, all, clock, start } = await world(t)
  let delivery = start([all.alertmanager])
  await delivery.deliver([firing])
  await alertmanager.close()
  await delivery.deliver([firing, resolved])
  clock.nowMs += 60 * minuteMs
  await alertmanager.reopen()
  for (let minute = 0; minute <= 30; minute++) {
    await delivery.deliver([firing, resolved])
    clock.nowMs += minuteMs
    if (minute === 7) {
      delivery = start([all.alertmanager])
    }
  }
  assert.deepEqual(toldAlertmanager(alertmanager), ['DE@03 firing', ...Array<string>(16).fill('DE@03 resolved')])
})

test('never resolves with an old notice what fires again', async (t) => {
  const { alertmanager, all, clock, start } = await world(t)
  const delivery = start([all.alertmanager])
  await delivery.deliver([firing, resolved])
  clock.nowMs += minuteMs
  await delivery.deliver([firing, resolved, again])
  for (let minute = 0; minute < 3; minute++) {
    clock.nowMs += minuteMs
    await delivery.deliver([firing, resolved, again])
  }
  assert.deepEqual(toldAlertmanager(alertmanager), [
    ...['DE@03 firing', 'DE@03 resolved', 'DE@09 firing', 'DE@09 firing', 'DE@09 firing', 'DE@09 firing'],
  ])
})

test('ends with the newest state where an older one has to be told again', async (t) => {
  const ledger = createMemoryLedger()
  const { alertmanager, all, start } = await world(t, ledger)
  await start([all.alertmanager]).deliver([firing, resolved, again])
  // As after a crash between sending and recording: the middle one is not known to be taken.
  ledger.rows.splice(1, 1)
  await start([all.alertmanager]).deliver([firing, resolved, again])
  assert.deepEqual(toldAlertmanager(alertmanager).slice(3), ['DE@03 resolved', 'DE@09 firing'])
})

test('keeps alerts alive in Alertmanager while the ledger is away, and tells no change until it is back', async (t) => {
  const { webhook, alertmanager, clock, ledger, start } = await world(t)
  const delivery = start()
  const french = notice({ country: 'FR', hour: 4 })
  await delivery.deliver([firing, french])
  ledger.isAway = true
  clock.nowMs += 2 * minuteMs
  const [hook, manager] = await delivery.deliver([firing, french, resolved, again])
  assert.deepEqual([hook!.fault?.code, manager!.fault?.code], ['clickhouse_unreachable', 'clickhouse_unreachable'])
  assert.deepEqual(toldWebhook(webhook), ['DE@03 firing', 'FR@04 firing'])
  assert.deepEqual(toldAlertmanager(alertmanager), ['DE@03 firing', 'FR@04 firing', 'FR@04 firing'])
  ledger.isAway = false
  await delivery.deliver([firing, french, resolved, again])
  assert.deepEqual(toldWebhook(webhook).slice(2), ['DE@03 resolved', 'DE@09 firing'])
  assert.deepEqual(toldAlertmanager(alertmanager).slice(3), ['DE@03 resolved', 'DE@09 firing'])
  assert.equal(ledger.rows.length, 8)
})

test('remembers what it could not record, and records it later without sending it again', async (t) => {
  const { webhook, all, ledger, start } = await world(t)
  const delivery = start([all.webhook])
  for (const [fate, notices] of [
    ['lost', [firing]],
    ['unheard', [firing, resolved]],
  ] as const) {
    // The first is recorded before the second is sent, so the fate meets the second.
    ledger.fates.push(...(fate === 'unheard' ? (['ok', fate] as const) : [fate]))
    const [outcome] = await delivery.deliver(notices)
    assert.deepEqual([outcome!.taken, outcome!.fault?.code], [1, 'clickhouse_unreachable'])
  }
  const [outcome] = await delivery.deliver([])
  assert.equal(outcome!.fault, null)
  assert.deepEqual(toldWebhook(webhook), ['DE@03 firing', 'DE@03 resolved'])
  assert.deepEqual(
    ledger.rows.map(({ status }) => status),
    ['firing', 'resolved'],
  )
})

test('after a crash between sending and recording sends the same alert again, not another', async (t) => {
  const { webhook, all, ledger, start } = await world(t)
  ledger.fates.push('killed')
  await assert.rejects(start([all.webhook]).deliver([firing]), /killed/)
  await start([all.webhook]).deliver([firing])
  const [first, second] = webhook.requests.map(({ body }) => (body as { alerts: unknown[] }).alerts)
  assert.deepEqual(first, second)
  assert.equal(ledger.rows.length, 1)
})

test('delivers all but the one alert that is refused, and holds back only what comes after it', async (t) => {
  const { webhook, all, ledger, start } = await world(t)
  const countries = ['DE', 'FR', 'IT', 'ES', 'PL']
  const pairs: AlertNotice[] = countries.flatMap((country) => [
    notice({ country, hour: 3 }),
    notice({ country, hour: 3, untilHour: 5 }),
  ])
  webhook.answer = ({ body }) =>
    (body as { alerts: Told[] }).alerts.some(({ labels, status }) => labels.country === 'IT' && status === 'firing')
      ? { status: 400, body: 'no Italy here' }
      : 200
  const delivery = start([all.webhook])
  const [outcome] = await delivery.deliver(pairs)
  assert.deepEqual([outcome!.taken, outcome!.waiting, outcome!.fault?.code], [8, 2, 'receiver_refused'])
  assert.match(outcome!.fault!.message, /no Italy here$/)
  assert.ok(!toldWebhook(webhook).some((told) => told.startsWith('IT')))
  webhook.answer = () => 200
  await delivery.deliver(pairs)
  assert.deepEqual(toldWebhook(webhook).slice(8), ['IT@03 firing', 'IT@03 resolved'])
  assert.equal(new Set(toldWebhook(webhook)).size, 10)
  assert.equal(ledger.rows.length, 10)
})

test('asks a receiver that refuses the login once a call', async (t) => {
  const { webhook, all, start } = await world(t)
  webhook.answer = () => 401
  const [outcome] = await start([all.webhook]).deliver([firing, resolved, notice({ country: 'FR', hour: 1 })])
  assert.deepEqual([outcome!.waiting, outcome!.fault?.code], [3, 'config_invalid'])
  assert.equal(webhook.requests.length, 1)
})

test('does one call after the other', async (t) => {
  const { webhook, all, start } = await world(t)
  const delivery = start([all.webhook])
  await Promise.all([delivery.deliver([firing]), delivery.deliver([firing]), delivery.deliver([firing, resolved])])
  assert.deepEqual(toldWebhook(webhook), ['DE@03 firing', 'DE@03 resolved'])
})

test('refuses two receivers of one name', async (t) => {
  const { all, start } = await world(t)
  assert.throws(() => start([all.webhook, all.webhook]), { code: 'config_invalid' })
})
