import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import type { ImpactDemoDocument } from '../../services/local/demo-impact.ts'
import { runCli } from '../support/cli.ts'

test('the demo of the impact reports each product beside what was planted, writes its page and ends by itself', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'intent-ledger-test-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  // Far fewer households than the demo's own 30,000: of the signs only that they are judged is shown here.
  const page = join(folder, 'page.html')
  const demo = await runCli(['demo-impact', '--data', folder, '--households', '1500', '--seed', '1', '--html', page])
  assert.equal(demo.stdout.match(/: audit: clean/g)?.length, 4, demo.stderr.slice(-500))
  const document = JSON.parse(await readFile(join(folder, 'page.json'), 'utf8')) as ImpactDemoDocument
  assert.deepEqual(
    document.planted.map(({ product }) => product),
    ['kindle', 'fire_tv', 'ring', 'echo'],
  )
  // The claimed view shows a profit everywhere, and the truth a loss of Echo alone.
  assert.ok(document.pnl.products.every(({ asClaimed }) => BigInt(asClaimed!.profitMicros) > 0n))
  assert.deepEqual(
    document.planted.map(({ profitMicros }) => BigInt(profitMicros) > 0n),
    [true, true, true, false],
  )
  const right = document.planted.every(({ signIsPlanted }) => signIsPlanted)
  assert.equal(demo.code, right ? 0 : 1, demo.stderr.slice(-500))
  const html = await readFile(page, 'utf8')
  assert.match(html, /<h2>echo<\/h2>/)
  assert.doesNotMatch(html, /https?:/)
})
