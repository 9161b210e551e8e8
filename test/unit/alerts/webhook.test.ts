import assert from 'node:assert/strict'
import { test } from 'node:test'

import { createWebhookReceiver } from '../../../services/alerts/webhook.ts'
import { PipelineError } from '../../../services/shared/domain/faults.ts'
import { startAlertEndpoint } from '../../support/alert-endpoint.ts'
import { notice } from '../../support/notices.ts'

test("posts the body of Alertmanager's webhook version 4, one group an alertname", async (t) => {
  const endpoint = await startAlertEndpoint(t)
  const receiver = createWebhookReceiver({ url: `${endpoint.url}/hook?room=7`, timeoutMs: 2_000 })
  assert.equal(receiver.wants, 'changes')
  const german = notice({ country: 'DE', hour: 3, labels: { 'cohort-month': '2026-01', plans: '' } })
  const french = notice({ country: 'FR', hour: 2, untilHour: 9 })
  const other = notice({ country: 'DE', hour: 1, untilHour: 2, alertname: 'Rejected"Ratio' })
  await receiver.send([german, french, other])
  assert.deepEqual(
    endpoint.requests.map(({ path }) => path),
    ['/hook?room=7', '/hook?room=7'],
  )
  assert.deepEqual(endpoint.requests[0]!.body, {
    version: '4',
    groupKey: '{}:{alertname="BroadShareDrop"}',
    truncatedAlerts: 0,
    status: 'firing',
    receiver: 'webhook',
    groupLabels: { alertname: 'BroadShareDrop' },
    commonLabels: { alertname: 'BroadShareDrop', severity: 'warning' },
    commonAnnotations: {},
    externalURL: '',
    alerts: [
      {
        status: 'firing',
        labels: { alertname: 'BroadShareDrop', cohort_month: '2026-01', country: 'DE', severity: 'warning' },
        annotations: { summary: 'fewer broad requests in DE' },
        startsAt: '2026-03-02T03:00:00.000Z',
        endsAt: '0001-01-01T00:00:00Z',
        generatorURL: '',
        fingerprint: german.fingerprint,
      },
      {
        status: 'resolved',
        labels: { alertname: 'BroadShareDrop', country: 'FR', severity: 'warning' },
        annotations: { summary: 'fewer broad requests in FR' },
        startsAt: '2026-03-02T02:00:00.000Z',
        endsAt: '2026-03-02T09:00:00.000Z',
        generatorURL: '',
        fingerprint: french.fingerprint,
      },
    ],
  })
  const second = endpoint.requests[1]!.body as Record<string, unknown>
  assert.equal(second['status'], 'resolved')
  assert.equal(second['groupKey'], '{}:{alertname="Rejected\\"Ratio"}')
  assert.deepEqual(second['commonAnnotations'], { summary: 'fewer broad requests in DE' })
})

test('keeps the path of the address to itself: it is often the secret', async (t) => {
  const endpoint = await startAlertEndpoint(t)
  const secret = 'T0A1B2C3D4E5'
  endpoint.answer = () => ({ status: 410, body: `no hook /services/${secret} with k3y-of-the-hook` })
  const receiver = createWebhookReceiver({
    ...{ url: `${endpoint.url}/services/${secret}?token=k3y-of-the-hook`, timeoutMs: 2_000 },
  })
  const said = async () => {
    const thrown: unknown = await receiver.send([notice({ country: 'DE', hour: 3 })]).catch((fault: unknown) => fault)
    assert.ok(thrown instanceof PipelineError)
    assert.doesNotMatch(`${thrown.stack} ${thrown.message}`, new RegExp(`${secret}|k3y-of`))
    return thrown
  }
  const gone = await said()
  assert.deepEqual([gone.code, gone.retryable], ['config_invalid', false])
  assert.match(
    gone.message,
    /^webhook at http:\/\/127\.0\.0\.1:\d+ answered 410: no hook \/\*\*\*\/\*\*\* with \*\*\*; check/,
  )
  await endpoint.close()
  assert.equal((await said()).code, 'receiver_unreachable')
})
