import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { faults } from '../chaos/faults.ts'
import { figures, readResults, withFigures } from '../chaos/table.ts'

const folder = join(import.meta.dirname, '../chaos')

test('faults under load: what the producer was acknowledged stands in ClickHouse once, and tampering is seen', async (t) => {
  const { PATH, HOME } = process.env
  const options = ['--kills', '30', '--seed', '1', '--waited', '20', '--tamper']
  const child = spawn(process.execPath, [join(folder, 'main.ts'), ...options], {
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
    .filter((found) => /acknowledged|faults:|recovery:|ended by themselves|refused/.test(found))) {
    t.diagnostic(line.trim())
  }
  assert.equal(code, 0, text)
  assert.match(text, /judge: clean[\s\S]+audit: clean/)
  assert.equal(text.match(/tampered, [^:]+: (judge|audit) says: /g)?.length, 8)
  // Thirty faults are the whole deck.
  const kinds = text
    .match(/faults: (.*)/)![1]!
    .split(', ')
    .map((kind) => kind.split(' ')[0]!)
  assert.deepEqual(kinds.sort(), Object.keys(faults).sort())
})

test('the figures in the README are those of the runs on record', () => {
  const readme = readFileSync(join(folder, 'README.md'), 'utf8')
  assert.equal(withFigures(readme, figures(readResults())), readme, 'run `node test/chaos/table.ts --write`')
})
