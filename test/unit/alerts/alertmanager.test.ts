import assert from 'node:assert/strict'
import { test } from 'node:test'

import { cleanLabels } from '../../../services/alerts/alert-labels.ts'
import { createAlertmanagerReceiver } from '../../../services/alerts/alertmanager.ts'
import { PipelineError } from '../../../services/shared/domain/faults.ts'
import { faultOf } from '../../support/fault-of.ts'
import { startAlertEndpoint, type Answer } from '../../support/alert-endpoint.ts'
import { notice } from '../../support/notices.ts'

const nowMs = Date.UTC(2026, 2, 2, 12)
const settings = { timeoutMs: 2_000, resendMs: 60_000, nowMs: () => nowMs }
const firing = notice({ country: 'DE', hour: 3 })

test('posts labels, annotations and times to the API v2, firing ones with an end some resends ahead', async (t) => {
  const endpoint = await startAlertEndpoint(t)
  const receiver = createAlertmanagerReceiver({
    ...{ ...settings, url: `${endpoint.url}/alerting/`, generatorUrl: 'http://ledger.example/alerts' },
  })
  await receiver.send([firing, notice({ country: 'FR', hour: 2, untilHour: 9 })])
  assert.equal(receiver.wants, 'state')
  const [request] = endpoint.requests
  assert.equal(request!.path, '/alerting/api/v2/alerts')
  assert.equal(request!.headers['content-type'], 'application/json')
  assert.equal(request!.headers.authorization, undefined)
  assert.deepEqual(request!.body, [
    {
      labels: { alertname: 'BroadShareDrop', country: 'DE', severity: 'warning' },
      annotations: { summary: 'fewer broad requests in DE' },
      startsAt: '2026-03-02T03:00:00.000Z',
      endsAt: '2026-03-02T12:04:00.000Z',
      generatorURL: 'http://ledger.example/alerts',
    },
    {
      labels: { alertname: 'BroadShareDrop', country: 'FR', severity: 'warning' },
      annotations: { summary: 'fewer broad requests in FR' },
      startsAt: '2026-03-02T02:00:00.000Z',
      endsAt: '2026-03-02T09:00:00.000Z',
      generatorURL: 'http://ledger.example/alerts',
    },
  ])
})

for (const [name, given, clean] of [
  ['keeps names that are right', { alertname: 'A', _x9: 'b' }, { _x9: 'b', alertname: 'A' }],
  [
    'turns - and . into _',
    { 'cohort-month': '2026-01', 'device.kind': 'tv' },
    { cohort_month: '2026-01', device_kind: 'tv' },
  ],
  ['puts _ before a digit', { '9lives': 'cat' }, { _9lives: 'cat' }],
  ['turns what is no letter of ASCII into _', { größe: 'xl' }, { gr__e: 'xl' }],
  ['drops empty values', { alertname: 'A', plans: '' }, { alertname: 'A' }],
  ['keeps both where two names become one', { 'a.b': '1', 'a-b': '2', a_b: '3' }, { a_b: '3', a_b_2: '2', a_b_3: '1' }],
  ['gives an empty name one', { '': 'x' }, { _: 'x' }],
  ['mends half of a surrogate pair', { alertname: 'A\ud800' }, { alertname: 'A\ufffd' }],
] as const) {
  test(`cleans labels: ${name}`, () => {
    const cleaned = cleanLabels(given)
    assert.deepEqual(cleaned, clean)
    assert.deepEqual(Object.keys(cleaned), Object.keys(cleaned).toSorted())
  })
}

for (const [name, answer, code, retryable, message] of [
  ['500', 500, 'receiver_unreachable', true, /^Alertmanager at http:\/\/127\.0\.0\.1:\d+ answered 500$/],
  ['503', { status: 503, body: 'no\n  room' }, 'receiver_unreachable', true, /answered 503: no room$/],
  ['429', 429, 'receiver_unreachable', true, /answered 429$/],
  ['no answer', 'hang', 'receiver_unreachable', true, /can't be reached: .*timeout/],
  ['a broken connection', 'cut', 'receiver_unreachable', true, /can't be reached: /],
  [
    '400',
    { status: 400, body: '"start time missing"' },
    'receiver_refused',
    false,
    /answered 400: start time missing$/,
  ],
  [
    ...([
      '422',
      { status: 422, body: '{"code":602,"message":"labels in body is required"}' },
      'receiver_refused',
      false,
    ] as const),
    /answered 422: labels in body is required$/,
  ],
  ['401', { status: 401, body: 'Unauthorized' }, 'config_invalid', false, /answered 401: Unauthorized; check its user/],
  ['404', 404, 'config_invalid', false, /answered 404; check its address$/],
  ['a redirect', { status: 302, body: '', location: '/login' }, 'config_invalid', false, /somewhere else/],
] as const satisfies readonly (readonly [string, Answer, string, boolean, RegExp])[]) {
  test(`says of ${name} whether trying again helps`, async (t) => {
    const endpoint = await startAlertEndpoint(t)
    endpoint.answer = () => answer
    const receiver = createAlertmanagerReceiver({ ...settings, timeoutMs: 300, url: endpoint.url })
    const fault = await faultOf(receiver.send([firing]))
    assert.equal(fault.code, code)
    assert.equal(fault.retryable, retryable)
    assert.match(fault.message, message)
    assert.equal(endpoint.requests.length, 1)
  })
}

test('says of a refused connection that trying again helps', async (t) => {
  const endpoint = await startAlertEndpoint(t)
  await endpoint.close()
  const fault = await faultOf(createAlertmanagerReceiver({ ...settings, url: endpoint.url }).send([firing]))
  assert.deepEqual([fault.code, fault.retryable], ['receiver_unreachable', true])
  assert.match(fault.message, /can't be reached: .*ECONNREFUSED/)
})

test('reads no more of a long answer than a sentence', async (t) => {
  const endpoint = await startAlertEndpoint(t)
  endpoint.answer = () => ({ status: 400, body: 'x'.repeat(1_000_000) })
  const fault = await faultOf(createAlertmanagerReceiver({ ...settings, url: endpoint.url }).send([firing]))
  assert.ok(fault.message.length < 400, `${fault.message.length} characters`)
})

test('sends user and password as basic auth, from the options or from the URL, and prints neither', async (t) => {
  const endpoint = await startAlertEndpoint(t)
  const login = Buffer.from('me:p@ss/word').toString('base64')
  // As bad as it gets: the other side says back what it was sent.
  endpoint.answer = () => ({ status: 400, body: `bad login ${login} with p@ss/word` })
  const byOptions = createAlertmanagerReceiver({ ...settings, url: endpoint.url, user: 'me', password: 'p@ss/word' })
  const byUrl = createAlertmanagerReceiver({ ...settings, url: endpoint.url.replace('//', '//me:p%40ss%2Fword@') })
  const faults = [await faultOf(byOptions.send([firing])), await faultOf(byUrl.send([firing]))]
  assert.deepEqual(
    endpoint.requests.map(({ headers }) => headers.authorization),
    [`Basic ${login}`, `Basic ${login}`],
  )
  for (const { message, stack } of faults) {
    assert.match(message, /bad login \*\*\* with \*\*\*$/)
    assert.doesNotMatch(`${stack}`, /p@ss|p%40ss/)
  }
})

test('refuses what is no address without repeating it', () => {
  for (const url of ['me:hunter2hunter2@host', 'ftp://me:hunter2hunter2@host/', '']) {
    assert.throws(
      () => createAlertmanagerReceiver({ ...settings, url }),
      (thrown: unknown) =>
        thrown instanceof PipelineError && thrown.code === 'config_invalid' && !thrown.message.includes('hunter2'),
    )
  }
})
