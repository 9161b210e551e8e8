/** Servers that are away for longer than several sessions, not just started anew. This file has servers of its own. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import type { LocalStack } from '../../../services/local/stack.ts'
import type { ClassifierProcess } from '../../support/classifier-process.ts'
import { pipelineCase } from '../../support/pipeline-case.ts'
import { ownStack } from '../../support/stack.ts'
import { waitFor } from '../../support/wait-for.ts'

const sessionMs = 2_000
const awayMs = 4 * sessionMs
const memberships = 2
const env = {
  KAFKA_MEMBERSHIPS: String(memberships),
  BATCH_ROWS_MAX: '300',
  SESSION_TIMEOUT_MS: String(sessionMs),
  LEASE_MS: '3000',
  LOG_LEVEL: 'info',
}

let stack: LocalStack
let removeStack: () => Promise<void> = () => Promise.resolve()
before(async () => {
  // `after` within a hook would run at the hook's end.
  stack = await ownStack({ after: (remove) => (removeStack = remove) })
})
after(() => removeStack())
beforeEach(async () => {
  // A test that failed may have left one away.
  for (const server of [stack.clickhouse, stack.kafka]) {
    await server.kill('SIGCONT')
    await server.start().catch((thrown: unknown) => assert.match(String(thrown), /is running already/))
  }
})

test('ClickHouse away for four sessions: not ready and says why, the same membership all along, exact', async (t) => {
  const { work, classifiers, log, joined } = await atWork(t)
  await stack.clickhouse.kill('SIGKILL')
  await becomeNotReady(
    classifiers,
    /^\w+ing .*: ClickHouse at http:\/\/127\.0\.0\.1:\d+ can't be reached: .*\(for \d+ s\)$/,
  )
  await sleep(awayMs)
  assert.equal(await work.admin.groupMembers(work.group), 2 * memberships)
  await stack.clickhouse.start()
  await becomeReady(classifiers)
  assert.deepEqual(await joins(classifiers), joined)
  await work.assertDrained(classifiers, { logs: [log], timeoutMs: 90_000 })
})

test('ClickHouse that takes connections and answers nothing: not ready, the same membership, exact', async (t) => {
  const { work, classifiers, log, joined } = await atWork(t)
  await stack.clickhouse.kill('SIGSTOP')
  await sleep(awayMs)
  assert.equal(await work.admin.groupMembers(work.group), 2 * memberships)
  await stack.clickhouse.kill('SIGCONT')
  assert.deepEqual(await joins(classifiers), joined)
  await work.assertDrained(classifiers, { logs: [log], timeoutMs: 90_000 })
})

test('a process killed while ClickHouse is away: the other takes its partitions over and waits with them, exact', async (t) => {
  const { work, classifiers, log } = await atWork(t)
  await stack.clickhouse.kill('SIGKILL')
  await becomeNotReady(classifiers, /ClickHouse/)
  const [killed, left] = classifiers as [ClassifierProcess, ClassifierProcess]
  killed.child.kill('SIGKILL')
  await waitFor(
    'the group to go on without it',
    async () => (await work.admin.groupMembers(work.group)) === memberships,
  )
  await waitFor('the partitions to be opened anew', () => /"doing":"opening /.test(left.stderr()))
  await becomeNotReady([left], /ClickHouse at .* can't be reached/)
  await sleep(awayMs)
  assert.equal(await work.admin.groupMembers(work.group), memberships)
  await stack.clickhouse.start()
  await becomeReady([left])
  await work.assertDrained([left], { logs: [log], timeoutMs: 90_000 })
})

test('stopped while ClickHouse is away: ends at once and clean, and the next process finishes its plan', async (t) => {
  const { work, classifiers, log } = await atWork(t)
  await stack.clickhouse.kill('SIGKILL')
  await becomeNotReady(classifiers, /ClickHouse/)
  await Promise.all(classifiers.map((classifier) => classifier.stop()))
  await stack.clickhouse.start()
  await work.assertDrained([work.startProcess()], { logs: [log], timeoutMs: 90_000 })
})

test('ClickHouse away for longer than OUTAGE_MAX_MS: ends with one sentence, and the next process goes on, exact', async (t) => {
  const { work, classifiers, log } = await atWork(t, { OUTAGE_MAX_MS: '3000' })
  await stack.clickhouse.kill('SIGKILL')
  for (const classifier of classifiers) {
    assert.equal(await classifier.ended(30_000), '1')
    assert.match(classifier.stderr(), /ClickHouse at http:\/\/127\.0\.0\.1:\d+ can't be reached/)
  }
  await stack.clickhouse.start()
  await work.assertDrained([work.startProcess()], { logs: [log], timeoutMs: 90_000 })
})

test('Kafka away for four sessions: not ready and says why, comes back by itself, exact', async (t) => {
  const { work, classifiers, log } = await atWork(t)
  await stack.kafka.kill('SIGKILL')
  await becomeNotReady(classifiers, /Kafka|coordinator|connection|ECONN/i)
  await sleep(awayMs)
  classifiers.forEach((classifier) => classifier.assertAlive())
  await stack.kafka.start()
  await becomeReady(classifiers)
  await work.assertDrained(classifiers, { logs: [log], timeoutMs: 90_000 })
})

/** Two classifiers in the middle of a backlog. */
async function atWork(t: Parameters<typeof pipelineCase>[0], more: Record<string, string> = {}) {
  const work = await pipelineCase(t, { stack, partitions: 4, env: { ...env, ...more } })
  // All are members before there is anything to read, or the first may have read it all.
  const classifiers = [work.startProcess(), work.startProcess()]
  await waitFor('each member to have one partition', () =>
    classifiers.every((classifier) => {
      const assigned = lastAssigned(classifier)
      return assigned.length === memberships && assigned.every((partitions) => /^\d$/.test(partitions))
    }),
  )
  await work.simulate({ events: 60_000 })
  const log = await work.readLog()
  await Promise.all(classifiers.map((classifier) => classifier.logged('batch settled')))
  return { work, classifiers, log, joined: await joins(classifiers) }
}

/** Of each membership of the process. */
function lastAssigned(classifier: ClassifierProcess): string[] {
  const joined = classifier.stderr().matchAll(/"membership":(\d+),"partitions":\[([\d,]*)\]/g)
  return [...new Map([...joined].map(([, membership, partitions]) => [membership, partitions!])).values()]
}

async function becomeNotReady(classifiers: readonly ClassifierProcess[], reason: RegExp): Promise<void> {
  for (const classifier of classifiers) {
    const said = await waitFor('the classifier to be not ready', () => classifier.notReady())
    assert.match(said, reason)
  }
}

async function becomeReady(classifiers: readonly ClassifierProcess[]): Promise<void> {
  for (const classifier of classifiers) {
    await waitFor('the classifier to be ready', async () => (await classifier.notReady()) === undefined)
  }
}

/** How often each has joined. The first time can fail: the coordinator of a new cluster is still loading. */
async function joins(classifiers: readonly ClassifierProcess[]): Promise<number[]> {
  return Promise.all(classifiers.map((classifier) => classifier.counter('intent_ledger_memberships_total')))
}
