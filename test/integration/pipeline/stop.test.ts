/** A stop ends in time, whatever Kafka does. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'

import { waitUntilDrained } from '../../support/assert-exact.ts'
import { pipelineCase } from '../../support/pipeline-case.ts'
import { sharedStack } from '../../support/stack.ts'

const stopMaxMs = 20_000

test('a connection that never closes does not hold up the stop', { timeout: 60_000 }, async (t) => {
  const work = await pipelineCase(t)
  await work.simulate({ events: 100 })
  // As after the death of a broker: what was asked of it is never answered, and kafkajs waits for the answer.
  const classifier = work.startInProcess({}, (parts) => ({
    ...parts,
    admin: { ...parts.admin, close: () => parts.admin.close().then(() => new Promise(() => undefined)) },
  }))
  await waitUntilDrained([await work.readLog()], { ...work, check: classifier.assertAlive })
  const startedMs = performance.now()
  await classifier.stop()
  assert.ok(performance.now() - startedMs < stopMaxMs)
})

// Found by `npm run chaos -- --brokers 3 --seed 301`: a classifier that left the group just after a broker had come back
// span for ever, and heard neither its supervisor nor its own deadline.
test('a consumer that is stopped while the set of brokers changes ends', async (t) => {
  const work = await pipelineCase(t)
  const { kafkaBrokers } = await sharedStack()
  const entry = join(import.meta.dirname, '../../support/stopping-while-brokers-change.ts')
  const child = spawn(process.execPath, [entry, kafkaBrokers[0]!, work.topic, work.group], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (said += chunk))
  const overdue = setTimeout(() => child.kill('SIGKILL'), stopMaxMs)
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  clearTimeout(overdue)
  assert.deepEqual({ code, signal, said }, { code: 0, signal: null, said: 'stopped\n' })
})
