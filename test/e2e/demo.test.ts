import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { runCli, startCli } from '../support/cli.ts'

// Fewer events than the demo's own 300,000: what is shown here does not depend on their number.
const events = '60000'

test('the demo ends by itself with a clean audit, and again on the same folder with another seed', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'intent-ledger-test-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const first = await runCli(['demo', '--data', folder, '--events', events, '--seed', '1'])
  assert.equal(first.code, 0, first.stderr)
  assert.match(first.stdout, /audit: clean/)
  for (const product of ['echo', 'kindle', 'fire_tv', 'ring']) {
    assert.match(first.stdout, new RegExp(`\\b${product}\\b`))
  }
  for (const line of first.stdout.split('\n')) {
    assert.ok(line.length <= 100 || /SELECT|https?:|^audit:/.test(line), `wider than 100 columns: ${line}`)
  }
  const key = await readFile(join(folder, 'secrets.json'), 'utf8')

  const second = await runCli(['demo', '--data', folder, '--events', events, '--seed', '2'])
  assert.equal(second.code, 0, second.stderr)
  assert.match(second.stdout, /audit: clean/)
  assert.equal(await readFile(join(folder, 'secrets.json'), 'utf8'), key)
})

test('start stays with live traffic, and Ctrl-C ends it and every process of it', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'intent-ledger-test-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const running = startCli(['start', '--data', folder, '--events', '5000', '--rate', '100'])
  await running.said('live: 100 events/s')
  const { servers } = JSON.parse(await readFile(join(folder, 'stack.json'), 'utf8')) as { servers: string[] }
  const share = await runCli(['share', '--format', 'json'], { INTENT_LEDGER_DATA: folder })
  assert.equal(share.code, 0, share.stderr)
  running.child.kill('SIGINT')
  const ended = await running.ended
  assert.equal(ended.code, 0, ended.stderr)
  assert.equal(servers.length, 2)
  for (const server of servers) {
    assert.throws(() => process.kill(Number.parseInt(server, 10), 0), { code: 'ESRCH' })
  }
})
