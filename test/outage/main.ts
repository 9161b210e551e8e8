/** One server away for long, under a large backlog: what the classifiers do meanwhile. `npm run outage -- --help`. */
import { setTimeout as sleep } from 'node:timers/promises'

import { PipelineError } from '../../services/shared/domain/faults.ts'
import { auditCase } from '../support/audit-case.ts'
import type { ClassifierProcess } from '../support/classifier-process.ts'
import type { PipelineCase } from '../support/pipeline-case.ts'
import { ownStack } from '../support/stack.ts'
import { waitFor } from '../support/wait-for.ts'
import { help, readOptions, type OutageOptions } from './options.ts'

/** The settings of production, where the tests' are quicker. */
const settings = { SESSION_TIMEOUT_MS: '10000', BATCH_ROWS_MAX: '100000', FETCH_WAIT_MS: '200', LOG_LEVEL: 'info' }
const drainMaxMs = 600_000

const endings: (() => Promise<void> | void)[] = []
try {
  const options = readOptions(process.argv.slice(2))
  if (options === undefined) {
    process.stdout.write(help)
  } else {
    await run(options)
  }
} catch (thrown) {
  process.stderr.write(thrown instanceof PipelineError ? `${thrown.message}\n` : `${String(thrown)}\n`)
  process.exitCode = 1
} finally {
  await end()
}
// The tests' support brings the test runner with it, which would print that it ran no tests.
process.exit()

async function run(options: OutageOptions): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void end().then(() => process.exit(130)))
  }
  const registry = { after: (ending: () => Promise<void>) => void endings.push(ending) }
  const stack = await ownStack(registry)
  const work = await auditCase(registry, { stack, partitions: 4, env: settings })
  say(`sending ${options.events} events`)
  await work.simulate({ events: options.events })
  const marks = await work.admin.watermarks(work.topic)
  const backlog = marks.reduce((sum, { high }) => sum + high, 0)
  say(`backlog: ${backlog} messages; two classifiers start`)
  const classifiers = [work.startProcess(), work.startProcess()]
  await Promise.all(classifiers.map((classifier) => classifier.logged('batch settled')))

  const joinedBefore = await memberships(classifiers)
  const server = options.server === 'clickhouse' ? stack.clickhouse : stack.kafka
  await server.kill('SIGKILL')
  const settled = await settledBatches(classifiers)
  say(`${options.server} killed, away for ${options.awaySeconds} s; batches settled before: ${settled}`)
  const membersSeen = new Set<number>()
  let notReadySeconds = 0
  for (let second = 1; second <= options.awaySeconds; second++) {
    await sleep(1_000)
    classifiers.forEach((classifier) => classifier.assertAlive())
    const reasons = await Promise.all(classifiers.map((classifier) => classifier.notReady()))
    notReadySeconds += reasons.every((reason) => reason !== undefined) ? 1 : 0
    if (options.server === 'clickhouse') {
      membersSeen.add(await work.admin.groupMembers(work.group))
    }
    if (second % 15 === 0) {
      say(`  ${second} s: ${reasons[0] ?? 'ready'}`)
    }
  }
  const peaksAway = classifiers.map((one) => one.peakMegabytes())
  await server.start()
  const backMs = performance.now()
  await waitFor('both classifiers to be ready', async () =>
    (await Promise.all(classifiers.map((one) => one.notReady()))).every((reason) => reason === undefined),
  )
  const readyMs = performance.now() - backMs
  await waitFor(
    'the backlog to drain',
    async () => {
      classifiers.forEach((classifier) => classifier.assertAlive())
      return (await stored(work)) >= backlog
    },
    { timeoutMs: drainMaxMs, everyMs: 500 },
  )
  const drainMs = performance.now() - backMs
  const peaks = classifiers.map((one) => one.peakMegabytes())
  const joinedAnew = (await memberships(classifiers)).map((joined, nth) => joined - joinedBefore[nth]!)
  const faults = classifiers.flatMap((one) => one.stderr().match(/^.*"membership ended.*$/gm) ?? [])
  await Promise.all(classifiers.map((classifier) => classifier.stop()))
  const differences = (await work.audit()).differences.map(({ kind, where }) => `${kind} ${where}`)

  process.stdout.write(
    [
      `server away            ${options.server}, ${options.awaySeconds} s`,
      `backlog                ${backlog} messages`,
      `not ready              ${notReadySeconds} of ${options.awaySeconds} s`,
      `members of the group   ${membersSeen.size === 0 ? 'not asked: Kafka is away' : [...membersSeen].join(', ')}`,
      `joined anew            ${joinedAnew.join(' and ')} times`,
      ...faults.map((line) => `  ended by              ${/"fault":"(.*?)","code/.exec(line)?.[1]}`),
      `peak memory            ${peaksAway.join(' and ')} MB while away, ${peaks.join(' and ')} MB in all`,
      `ready again after      ${(readyMs / 1_000).toFixed(1)} s`,
      `drained after          ${(drainMs / 1_000).toFixed(1)} s`,
      `audit                  ${differences.length === 0 ? 'clean' : differences.join('; ')}`,
      '',
    ].join('\n'),
  )
  process.exitCode = differences.length === 0 ? 0 : 1
}

async function stored({ clickHouse, database }: PipelineCase): Promise<number> {
  const [row] = await clickHouse.rows<{ messages: number }>(
    `SELECT sum(last_offset - first_offset + 1) AS messages FROM ${database}.ingest_batches`,
  )
  return row!.messages
}

async function memberships(classifiers: readonly ClassifierProcess[]): Promise<number[]> {
  return Promise.all(classifiers.map((one) => one.counter('intent_ledger_memberships_total')))
}

async function settledBatches(classifiers: readonly ClassifierProcess[]): Promise<number> {
  const counts = await Promise.all(classifiers.map((one) => one.counter('intent_ledger_batches_total')))
  return counts.reduce((sum, count) => sum + count, 0)
}

async function end(): Promise<void> {
  for (const ending of endings.splice(0).toReversed()) {
    await ending()
  }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}
