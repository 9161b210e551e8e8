/** How fast `simulate` fills a topic that acknowledges every batch: the command itself, as a process. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { z } from 'zod'

import { nodeFlags } from '../../services/shared/io/heap.ts'
import { environmentWithoutServers, say, withServers, type BenchServers } from './bench-servers.ts'
import { partitions } from './fill.ts'
import { readCounts } from './options.ts'
import { spreadOf } from './summary.ts'

const help = `npm run bench -- producer [--events <n>] [--rounds <n>]

Runs \`intent-ledger simulate\` with so many events (default 1000000) some times (default 5), each into a topic of its own.
`
const cli = join(import.meta.dirname, '../../services/cli.ts')
const execute = promisify(execFile)
/** Seconds of its own clock: making and sending, without its start. */
const summaryFormat = z.object({ sent: z.number(), seconds: z.number() })

export async function measureProducer(args: string[]): Promise<void> {
  const options = readCounts(args, { events: [1_000, 100_000_000, 1_000_000], rounds: [1, 100, 5] })
  if (options === undefined) {
    process.stdout.write(help)
    return
  }
  const rates = await withServers((servers) => measure(options, servers))
  const { median, low, high } = spreadOf(rates)
  const show = (rate: number) => Math.round(rate).toLocaleString('en')
  process.stdout.write(
    `simulate: ${show(median)} events/s to a topic of ${partitions} partitions (${show(low)} to ${show(high)}, ${options.rounds} rounds of ${options.events} events)\n`,
  )
}

async function measure(
  { events, rounds }: { events: number; rounds: number },
  { stack, admin, signal }: BenchServers,
): Promise<number[]> {
  const rates: number[] = []
  for (let round = 0; round < rounds; round++) {
    const topic = `bench-producer-${round}`
    await admin.ensureTopic({ topic, partitions, replicas: 1, configs: {} })
    const env = {
      ...environmentWithoutServers(),
      KAFKA_BROKERS: stack.kafkaBrokers.join(','),
      KAFKA_TOPIC: topic,
      CLICKHOUSE_URL: stack.clickhouseUrl,
      HOUSEHOLD_KEY: stack.secrets.householdKey,
    }
    const flags = ['--events', String(events), '--seed', String(round + 1), '--format', 'json']
    const { stdout } = await execute(process.execPath, [...nodeFlags, cli, 'simulate', ...flags], { env, signal })
    const { sent, seconds } = summaryFormat.parse(JSON.parse(stdout))
    const stored = (await admin.watermarks(topic)).reduce((sum, { high }) => sum + high, 0)
    if (sent < events || stored !== sent) {
      throw new Error(`simulate says that it sent ${sent} messages, of which the topic holds ${stored}`)
    }
    rates.push(sent / seconds)
    say(`round ${round + 1}: ${Math.round(sent / seconds)} events/s`)
  }
  return rates
}
