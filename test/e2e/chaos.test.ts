import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'

const entry = join(import.meta.dirname, '../chaos/main.ts')

test('faults under load: what the producer was acknowledged stands in ClickHouse once, and tampering is seen', async (t) => {
  const { PATH, HOME } = process.env
  const child = spawn(process.execPath, [entry, '--kills', '12', '--seed', '1', '--tamper'], {
    env: { PATH, HOME },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(() => child.kill('SIGTERM'))
  let text = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  }
  const [code] = (await once(child, 'close')) as [number | null]
  for (const line of text
    .split('\n')
    .filter((found) => /acknowledged|faults:|recovery:|ended by themselves/.test(found))) {
    t.diagnostic(line.trim())
  }
  assert.equal(code, 0, text)
  assert.match(text, /judge: clean[\s\S]+audit: clean/)
  assert.equal(text.match(/tampered, [^:]+: (judge|audit) says: /g)?.length, 8)
})
