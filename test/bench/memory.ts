/** The memory of our process while it drains a large backlog: its peak, and whether it grows. */
import { readFileSync } from 'node:fs'

import { migrate } from '../../services/shared/io/migrations.ts'
import { consumerEnvironment, say, withServers, type BenchServers } from './bench-servers.ts'
import { runContender } from './contender.ts'
import { fillTopics } from './fill.ts'
import { readCounts } from './options.ts'
import { dedupWindowBlocks } from './run.ts'
import { spreadOf } from './summary.ts'

const help = `npm run bench -- memory [--events <n>]

Drains a backlog of so many events (default 10000000) and prints the resident set of our process: its peak, and the median
of each quarter of the run.
`
const topic = 'bench-memory'
const database = 'intent_ledger_bench_memory'
const lookPauseMs = 200
const malformedShare = 0.005

export async function measureMemory(args: string[]): Promise<void> {
  const options = readCounts(args, { events: [10_000, 1_000_000_000, 10_000_000] })
  if (options === undefined) {
    process.stdout.write(help)
    return
  }
  const { peakMb, quartersMb, messages } = await withServers((servers) => measure(options.events, servers))
  const quarters = quartersMb.map((median) => Math.round(median)).join(', ')
  process.stdout.write(
    `${messages} messages of backlog: peak ${Math.round(peakMb)} MB; median of each quarter of the run ${quarters} MB\n`,
  )
}

async function measure(events: number, servers: BenchServers) {
  const { stack, pipeline, admin, signal } = servers
  const { sent: messages } = await fillTopics(
    { topic, jsonTopic: undefined, events, malformed: malformedShare },
    servers,
  )
  say(`${messages} messages in ${topic}`)
  await migrate(pipeline, { database, dedupWindowBlocks })
  const drain = { topic, topicId: await admin.topicId(topic), group: 'bench-memory', database }
  const samplesMb: number[] = []
  let looking: NodeJS.Timeout | undefined
  try {
    const { memoryPeakMb } = await runContender('our-consumer.ts', {
      env: consumerEnvironment(stack, drain),
      messages,
      profileFolder: undefined,
      signal,
      onStart(pid) {
        looking = setInterval(() => samplesMb.push(...residentMb(pid)), lookPauseMs)
      },
    })
    return { peakMb: memoryPeakMb, quartersMb: quartersOf(samplesMb), messages }
  } finally {
    clearInterval(looking)
  }
}

/** Empty when the process has just ended. proc(5), /proc/pid/status. */
function residentMb(pid: number): number[] {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return kilobytes === undefined ? [] : [Number(kilobytes) / 1_024]
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === 'ENOENT' || (thrown as NodeJS.ErrnoException).code === 'ESRCH') {
      return []
    }
    throw thrown
  }
}

function quartersOf(samples: readonly number[]): number[] {
  const quarter = (nth: number) => samples.slice((samples.length * nth) / 4, (samples.length * (nth + 1)) / 4)
  return [0, 1, 2, 3].map(quarter).flatMap((part) => (part.length === 0 ? [] : [spreadOf(part).median]))
}
