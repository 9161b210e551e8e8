import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { runCli } from '../support/cli.ts'

test('the demo of the alerts pages for what was planted and for nothing else, and ends by itself', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'intent-ledger-test-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  // Fewer households than the demo's own 20,000 a country: a fall by a fifth is found in 6,000 as well.
  const demo = await runCli(['demo-alerts', '--data', folder, '--households', '6000'])
  assert.equal(demo.code, 0, demo.stderr.slice(-500))
  assert.match(demo.stdout, /DE falls by 20 % on 14 April .* page on 2026-04-15 +yes/)
  assert.match(demo.stdout, /US: mix shift from 19 May .* no page +yes/)
  assert.match(demo.stdout, /most of the change is mix, not behaviour/)
  assert.doesNotMatch(demo.stdout, /\bNO\b/)
})
