import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'

import { createAlertmanagerReceiver } from '../../../services/alerts/alertmanager.ts'
import { createDelivery } from '../../../services/alerts/delivery.ts'
import type { AlertNotice } from '../../../services/alerts/notice.ts'
import { createWebhookReceiver } from '../../../services/alerts/webhook.ts'
import { createLogger } from '../../../services/shared/io/log.ts'
import { startAlertEndpoint, type AlertEndpoint } from '../../support/alert-endpoint.ts'
import { findAlertmanager, startAlertmanager } from '../../support/alertmanager-server.ts'
import { createMemoryLedger } from '../../support/memory-ledger.ts'
import { notice as noticeFrom } from '../../support/notices.ts'
import { waitFor } from '../../support/wait-for.ts'

const required = process.env['REQUIRE_ALERTMANAGER'] === '1'
const log = createLogger({ service: 'test', level: 'silent', pretty: false })
/** Twelve hours ago to the hour: windows are over when they are judged. */
const fromMs = Math.floor(Date.now() / 3_600_000 - 12) * 3_600_000
const notice = (options: Parameters<typeof noticeFrom>[0]) => noticeFrom({ fromMs, ...options })

interface WebhookBody {
  readonly status: string
  readonly alerts: readonly {
    readonly status: string
    readonly labels: Record<string, string>
    readonly startsAt: string
    readonly endsAt: string
  }[]
}

/** What Alertmanager told people, in order: `DE@03 firing`, hours counted from `fromMs`. */
function toldPeople({ requests }: AlertEndpoint): string[] {
  return requests
    .flatMap(({ body }) => (body as WebhookBody).alerts)
    .map(
      ({ labels, startsAt, status }) => `${labels['country']}@${(Date.parse(startsAt) - fromMs) / 3_600_000} ${status}`,
    )
}

async function world(t: TestContext, resendMs = 60_000) {
  const command = await findAlertmanager()
  if (command === undefined) {
    const missing = "Alertmanager isn't installed (Debian package prometheus-alertmanager)"
    assert.ok(!required, `REQUIRE_ALERTMANAGER=1, but ${missing}`)
    t.skip(missing)
    return undefined
  }
  const people = await startAlertEndpoint(t)
  const server = await startAlertmanager(t, { command, webhookUrl: people.url })
  const ledger = createMemoryLedger()
  /** Of the deliveries alone: it says when to tell again. */
  const clock = { aheadMs: 0 }
  const start = () =>
    createDelivery({
      receivers: [createAlertmanagerReceiver({ url: server.url, timeoutMs: 5_000, resendMs })],
      ...{ ledger, nowMs: () => Date.now() + clock.aheadMs, resendMs, log, backoffMs: 20 },
    })
  return { people, server, ledger, clock, start }
}

const german = notice({ country: 'DE', hour: 3 })
const germanOver = notice({ country: 'DE', hour: 3, untilHour: 6 })
const germanAgain = notice({ country: 'DE', hour: 8 })
const french = notice({ country: 'FR', hour: 4 })
const other = notice({ country: 'IT', hour: 5, alertname: 'RejectedRatio' })

test('Alertmanager takes, groups, keeps and resolves our alerts', { timeout: 120_000 }, async (t) => {
  const here = await world(t)
  if (here === undefined) {
    return
  }
  const { people, server, ledger, clock, start } = here
  const delivery = start()
  const held = async () =>
    (await server.alerts())
      .map(({ labels, startsAt }) => `${labels['country']}@${(Date.parse(startsAt) - fromMs) / 3_600_000}`)
      .toSorted()

  await delivery.deliver([german, french, other])
  assert.deepEqual(await held(), ['DE@3', 'FR@4', 'IT@5'])
  assert.deepEqual(
    (await server.groups()).map(({ labels, alerts }) => `${labels['alertname']} ${alerts.length}`).toSorted(),
    ['BroadShareDrop 2', 'RejectedRatio 1'],
  )
  await waitFor('people to be told of all three', () => new Set(toldPeople(people)).size === 3)
  const toldBefore = people.requests.length

  let updatedAt = ''
  for (let resend = 0; resend < 30; resend++) {
    clock.aheadMs += 60_000
    const [outcome] = await delivery.deliver([german, french, other])
    assert.deepEqual([outcome!.repeated, outcome!.fault], [3, null])
    const [first] = await server.alerts()
    assert.ok(first!.updatedAt > updatedAt, 'each resend arrives')
    updatedAt = first!.updatedAt
  }
  // Another process, the same ledger.
  await start().deliver([german, french, other])
  assert.deepEqual(await held(), ['DE@3', 'FR@4', 'IT@5'])

  await delivery.deliver([german, germanOver, french, other])
  assert.deepEqual(await held(), ['FR@4', 'IT@5'])
  await waitFor('people to be told that it is over', () => toldPeople(people).includes('DE@3 resolved'))
  const over = (people.requests.at(-1)!.body as WebhookBody).alerts.find(({ status }) => status === 'resolved')
  assert.equal(Date.parse(over!.endsAt), germanOver.endsAtMs)
  assert.equal(people.requests.length, toldBefore + 1, 'one message more, for the one change')

  await delivery.deliver([german, germanOver, french, other, germanAgain])
  clock.aheadMs += 60_000
  await delivery.deliver([german, germanOver, french, other, germanAgain])
  assert.deepEqual(await held(), ['DE@8', 'FR@4', 'IT@5'])
  await waitFor('people to be told that it fires again', () => toldPeople(people).includes('DE@8 firing'))
  assert.equal(ledger.rows.length, 5)
})

test(
  'an Alertmanager that was stopped for a while loses nothing and tells nothing twice',
  { timeout: 120_000 },
  async (t) => {
    const here = await world(t)
    if (here === undefined) {
      return
    }
    const { people, server, ledger, start } = here
    const delivery = start()
    await delivery.deliver([german, other])
    await waitFor('people to be told', () => new Set(toldPeople(people)).size === 2)
    await server.stop()
    const during: AlertNotice[] = [german, germanOver, french, other]
    for (let call = 0; call < 5; call++) {
      const [away] = await delivery.deliver(during)
      assert.deepEqual([away!.waiting, away!.fault?.code], [2, 'receiver_unreachable'])
    }
    assert.equal(ledger.rows.length, 2)
    await server.start()
    const [back] = await start().deliver(during)
    assert.deepEqual([back!.taken, back!.waiting, back!.fault], [2, 0, null])
    await waitFor('people to be told of what happened meanwhile', () => {
      const told = toldPeople(people)
      return told.includes('DE@3 resolved') && told.includes('FR@4 firing')
    })
    assert.deepEqual(
      toldPeople(people)
        .filter((told) => !told.startsWith('FR'))
        .toSorted(),
      ['DE@3 firing', 'DE@3 resolved', 'IT@5 firing'],
    )
    assert.deepEqual((await server.alerts()).map(({ labels }) => labels['country']).toSorted(), ['FR', 'IT'])
    assert.equal(ledger.rows.length, 4)
  },
)

test('Alertmanager resolves by itself what nobody tells it any more', { timeout: 120_000 }, async (t) => {
  const here = await world(t, 500)
  if (here === undefined) {
    return
  }
  await here.start().deliver([german])
  assert.equal((await here.server.alerts()).length, 1)
  await waitFor('the alert to end', async () => (await here.server.alerts()).length === 0, { timeoutMs: 30_000 })
  await waitFor('people to be told', () => toldPeople(here.people).includes('DE@3 resolved'))
})

test(
  "says a refusal in Alertmanager's own words, and delivers all but what is refused",
  { timeout: 120_000 },
  async (t) => {
    const here = await world(t)
    if (here === undefined) {
      return
    }
    const nameless = { ...notice({ country: 'ES', hour: 1, alertname: 'Nameless' }), labels: {} }
    const [outcome] = await here.start().deliver([german, nameless, french])
    assert.deepEqual([outcome!.taken, outcome!.waiting, outcome!.fault?.code], [2, 1, 'receiver_refused'])
    assert.match(outcome!.fault!.message, /answered 400: .*label/)
    t.diagnostic(outcome!.fault!.message)
    assert.equal((await here.server.alerts()).length, 2)
  },
)

test('our webhook says what Alertmanager says to webhooks', { timeout: 120_000 }, async (t) => {
  const here = await world(t)
  if (here === undefined) {
    return
  }
  const ours = await startAlertEndpoint(t)
  const both = [notice({ country: 'DE', hour: 3, labels: { 'cohort-month': '2026-01', plans: '' } }), germanFrench()]
  await here.start().deliver(both)
  const isOver = ({ body }: { body: unknown }) => (body as WebhookBody).alerts.length === 2
  await waitFor('Alertmanager to tell of both', () => here.people.requests.some(isOver))
  await createWebhookReceiver({ url: ours.url, timeoutMs: 5_000 }).send(both)
  assert.deepEqual(comparable(ours.requests[0]!.body), comparable(here.people.requests.find(isOver)!.body))
})

function germanFrench(): AlertNotice {
  return notice({ country: 'FR', hour: 3, annotations: { runbook: 'look at the mix' } })
}

/** Without what names the sender, and with times as numbers: Go leaves out zero milliseconds. */
function comparable(body: unknown): unknown {
  const { alerts, ...rest } = body as { alerts: Record<string, unknown>[] }
  const timeOf = (time: unknown) => (String(time).startsWith('0001') ? time : Date.parse(String(time)))
  const kinds = (value: object, names: readonly string[]) =>
    Object.fromEntries(
      Object.entries(value).map(([name, each]) => [name, names.includes(name) ? typeof each : (each as unknown)]),
    )
  return {
    ...kinds(rest, ['receiver', 'externalURL']),
    alerts: alerts
      .map((alert) => ({
        ...kinds(alert, ['generatorURL', 'fingerprint']),
        startsAt: timeOf(alert['startsAt']),
        endsAt: timeOf(alert['endsAt']),
      }))
      .toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
  }
}
