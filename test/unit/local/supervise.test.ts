import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test, type TestContext } from 'node:test'
import { aliveProcess, processMark } from '../../../services/local/process-mark.ts'

const superviseScript = join(import.meta.dirname, '..', '..', '..', 'services', 'local', 'supervise.ts')

test('the command ends when standard input closes', async (t) => {
  const { supervisor, command } = await supervise(t, { graceMs: 10_000, command: ['sleep', '60'] })
  supervisor.stdin.end()
  await once(supervisor, 'exit')
  assert.ok(!aliveProcess(command))
})

test('a command that ignores SIGTERM is killed after the grace', async (t) => {
  const stubborn = ['sh', '-c', 'trap "" TERM; while :; do sleep 0.1; done']
  const { supervisor, command } = await supervise(t, { graceMs: 100, command: stubborn })
  supervisor.stdin.end()
  await once(supervisor, 'exit')
  assert.ok(!aliveProcess(command))
})

test('the supervisor ends as its command ended', async (t) => {
  const { supervisor } = await supervise(t, { graceMs: 100, command: ['sh', '-c', 'exit 3'] })
  const [code] = (await once(supervisor, 'exit')) as [number]
  assert.equal(code, 3)
})

test('a command that is not there ends it with 127', async (t) => {
  const supervisor = start(t, { graceMs: 100, command: ['no-such-command-here'] })
  const [code] = (await once(supervisor, 'exit')) as [number]
  assert.equal(code, 127)
})

/** Resolves when the supervisor has printed its command's pid. */
async function supervise(t: TestContext, options: { graceMs: number; command: string[] }) {
  const supervisor = start(t, options)
  const [pid] = (await once(createInterface({ input: supervisor.stdout }), 'line')) as [string]
  return { supervisor, command: processMark(Number(pid)) }
}

function start(t: TestContext, options: { graceMs: number; command: string[] }) {
  const args = [superviseScript, String(options.graceMs), ...options.command]
  const supervisor = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'ignore'] })
  t.after(() => supervisor.stdin.end())
  return supervisor
}
