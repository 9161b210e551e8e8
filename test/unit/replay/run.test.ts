import assert from 'node:assert/strict'
import { test } from 'node:test'

import { runChildren, runUntilComplete } from '../../../services/replay/run.ts'
import { createLogger } from '../../../services/shared/io/log.ts'

const never = new AbortController().signal
const untilAborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) {
      resolve()
    }
    signal.addEventListener('abort', () => resolve())
  })
const log = createLogger({ service: 'test', level: 'silent', pretty: false })

test('ends the work when all is complete', async () => {
  assert.equal(await runUntilComplete(untilAborted, () => Promise.resolve(true), never), true)
})

test('ends the watch when the work has failed, and throws what the work threw', async () => {
  const watch = async (signal: AbortSignal) => {
    await untilAborted(signal)
    return false
  }
  await assert.rejects(
    runUntilComplete(() => Promise.reject(new Error('lost')), watch, never),
    /lost/,
  )
})

test('ends both at the signal, incomplete', async () => {
  const stop = new AbortController()
  const watch = async (signal: AbortSignal) => {
    await untilAborted(signal)
    return false
  }
  const running = runUntilComplete(untilAborted, watch, stop.signal)
  stop.abort()
  assert.equal(await running, false)
})

test('stops every child at the signal, and when one of them has died', async () => {
  for (const how of [undefined, 'signal SIGKILL']) {
    const stop = new AbortController()
    const stopped: number[] = []
    let pid = 0
    const start = () => {
      const mine = ++pid
      const ended = mine === 2 && how !== undefined ? Promise.resolve(how) : new Promise<undefined>(() => undefined)
      return Promise.resolve({ pid: mine, ended, stop: () => Promise.resolve(void stopped.push(mine)) })
    }
    const running = runChildren(start, { processes: 3, log }, stop.signal)
    if (how === undefined) {
      stop.abort()
      await running
    } else {
      await assert.rejects(running, /a process of this replay ended \(signal SIGKILL\).*goes on where it stopped/)
    }
    assert.ok(how === undefined || stopped.length === 3, `stopped ${stopped.join()}`)
    assert.equal(stopped.length, pid)
  }
})
