import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'

import { createContext } from '../../services/local/context.ts'
import { createProgram } from '../../services/verbs.ts'

const streams = { stdout: new PassThrough(), stderr: new PassThrough() }
const verbsOf = async (verb?: string) =>
  (await createProgram(createContext({}, streams), verb)).commands.map((command) => command.name())

test('each verb is there when only its own service is loaded', async () => {
  const all = await verbsOf()
  assert.equal(new Set(all).size, all.length)
  for (const verb of all) {
    const few = await verbsOf(verb)
    assert.ok(few.includes(verb), verb)
    assert.ok(few.length < all.length, verb)
  }
})

test('what is no verb is told with all verbs at hand', async () => {
  assert.deepEqual(await verbsOf('shares'), await verbsOf())
})
