import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { nodeFlags } from '../../../../services/shared/io/heap.ts'

const root = join(import.meta.dirname, '../../../..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')

test('the command and the image start Node with the same flags as we start a process', () => {
  assert.equal(read('services/cli.ts').split('\n', 1)[0], `#!/usr/bin/env -S node ${nodeFlags.join(' ')}`)
  const entry = JSON.stringify(['node', ...nodeFlags, 'services/cli.ts']).replaceAll(',', ', ')
  assert.ok(read('infra/docker/Dockerfile').includes(`ENTRYPOINT ${entry}\n`))
})

test('Node takes them, and its young generation stays small', () => {
  const script = `
    let kept = []
    let mb = 0
    for (let n = 0; n < 1_000_000; n++) {
      kept.push({ n })
      if (n % 50_000 === 0) {
        kept = []
        const space = v8.getHeapSpaceStatistics().find((each) => each.space_name === 'new_space')
        mb = Math.max(mb, space.space_size / 1_048_576)
      }
    }
    console.log(mb)`
  const mb = Number(execFileSync(process.execPath, [...nodeFlags, '-e', script], { encoding: 'utf8' }))
  assert.ok(mb > 0 && mb <= 12, `${mb} MB`)
})
