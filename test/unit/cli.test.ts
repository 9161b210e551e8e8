import assert from 'node:assert/strict'
import { test } from 'node:test'

import { startCli } from '../support/cli.ts'

test('a reader that closes the pipe early, as head does, is no fault', async () => {
  const { child, ended } = startCli(['simulate', '--help'])
  child.stdout!.destroy()
  const { code, stderr } = await ended
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
})
