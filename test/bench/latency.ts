/** From Kafka's acknowledgement of an event until a query sees it, with a classifier on its defaults. */
import { setTimeout as sleep } from 'node:timers/promises'

import { createRandom } from '../../services/producer/random.ts'
import { createTraffic } from '../../services/producer/traffic.ts'
import { loadEncoders } from '../../services/producer/writer-schemas.ts'
import type { ClickHouse } from '../../services/shared/io/clickhouse.ts'
import type { KafkaAdmin } from '../../services/shared/io/kafka-admin.ts'
import { oneBatch, type BatchMessage } from '../../services/shared/io/kafka-record-encoder.ts'
import type { Producer } from '../../services/shared/io/kafka.ts'
import { migrate } from '../../services/shared/io/migrations.ts'
import { consumerEnvironment, say, withServers, type BenchServers } from './bench-servers.ts'
import { runContender } from './contender.ts'
import { fillTopics, partitions } from './fill.ts'
import { readCounts } from './options.ts'
import { startVerb } from './replay.ts'
import { dedupWindowBlocks } from './run.ts'
import { quantile } from './summary.ts'

const help = `npm run bench -- latency [--rate <events/s>] [--seconds <n>] [--backlog <n>] [--replay <events/s>]

Sends events at a steady rate (default 5000) for some seconds (default 60) and asks ClickHouse every 10 ms which of them
it has. The first 5 seconds are not counted.

With a backlog (default 0) so many events stand in one partition beforehand, the others get the steady ones, and only those
are counted that are sent while the backlog is read; give it 250000 for each second.

With --replay (default 0: none) another topic is replayed meanwhile, with that --rate.
`
const topic = 'bench-latency'
const replayedTopic = 'bench-latency-replayed'
const group = 'bench-latency'
const database = 'intent_ledger_bench_latency'
const tickMs = 20
const lookPauseMs = 10
const warmUpMs = 5_000
/** It holds the backlog, where there is one, and then no other events. */
const backlogPartition = partitions - 1
const backlogChunk = 4_000
const dayMs = 86_400_000

export async function measureLatency(args: string[]): Promise<void> {
  const options = readCounts(args, {
    rate: [1, 100_000, 5_000],
    seconds: [6, 3_600, 60],
    backlog: [0, 1_000_000_000, 0],
    replay: [0, 10_000_000, 0],
  })
  if (options === undefined) {
    process.stdout.write(help)
    return
  }
  const latenciesMs = await withServers((servers) => measure(options, servers))
  const at = (share: number) => `${Math.round(quantile(latenciesMs, share))} ms`
  process.stdout.write(
    `${latenciesMs.length} events at ${options.rate} events/s${options.backlog > 0 ? ` beside a backlog of ${options.backlog}` : ''}${options.replay > 0 ? ` beside a replay at ${options.replay} events/s` : ''}, acknowledged to visible: p50 ${at(0.5)}, p90 ${at(0.9)}, p99 ${at(0.99)}, most ${at(1)}\n`,
  )
}

/** Events of one send to one partition: they are acknowledged together, and seen when the last is. */
interface Sent {
  readonly partition: number
  readonly lastOffset: number
  readonly events: number
  readonly acknowledgedMs: number
}

/** Milliseconds of each event, ascending. */
async function measure(
  { rate, seconds, backlog, replay }: { rate: number; seconds: number; backlog: number; replay: number },
  servers: BenchServers,
): Promise<Float64Array> {
  const { stack, pipeline, kafka, admin, signal } = servers
  if (replay > 0) {
    await fillTopics(
      { topic: replayedTopic, jsonTopic: undefined, events: replay * seconds * 2, malformed: 0 },
      servers,
    )
  }
  await admin.ensureTopic({ topic, partitions, replicas: 1, configs: {} })
  await migrate(pipeline, { database, dedupWindowBlocks })
  const topicId = await admin.topicId(topic)
  const steadyPartitions = backlog > 0 ? partitions - 1 : partitions
  const maker = createMaker(stack.secrets.householdKey, steadyPartitions)
  const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1, allowAutoTopicCreation: false })
  await producer.connect()
  try {
    for (let sent = 0; sent < backlog; sent += backlogChunk) {
      const messages = maker.make(Math.min(backlogChunk, backlog - sent)).map(({ key, value }) => ({ key, value }))
      await producer.send({ topic, acks: -1, messages: oneBatch(backlogPartition, withTime(messages)) })
    }
    const messages = maker.make(rate * seconds)
    const drained = runContender('our-consumer.ts', {
      env: consumerEnvironment(stack, { topic, topicId, group, database }),
      messages: messages.length + backlog,
      profileFolder: undefined,
      signal,
    })
    await Promise.race([untilJoined(admin), drained])
    const env = consumerEnvironment(stack, { topic: replayedTopic, topicId, group, database })
    const replaying =
      replay > 0 ? startVerb(['replay', 'run', 'bench_latency', `--rate=${replay}`], env, signal) : undefined
    say(`the classifier has joined; sending ${messages.length} events`)
    const startedMs = performance.now()
    const unseen: Sent[] = []
    const watching = watch(pipeline, {
      ...{ topicId, unseen, total: messages.length, skipUntilMs: startedMs + warmUpMs, backlog },
    })
    const [latenciesMs] = await Promise.all([watching, send(producer, { messages, rate, unseen }), drained])
    if (replaying?.kill('SIGTERM') === false) {
      throw new Error('the replay had ended before the measurement')
    }
    return Float64Array.from(latenciesMs).sort()
  } finally {
    await producer.disconnect()
  }
}

interface Message {
  readonly key: Buffer
  readonly value: Buffer
  readonly partition: number
}

/** Makes events before the clock runs. They happen within the classifier's tolerance of the clocks of devices. */
function createMaker(householdKey: string, steadyPartitions: number) {
  const today = Math.floor(Date.now() / dayMs)
  const traffic = createTraffic({
    ...{ seed: 1, firstDay: today - 2, days: 2, size: { households: 300 } },
    householdKey: Buffer.from(householdKey, 'hex'),
  })
  const random = createRandom(1)
  const encoder = loadEncoders()[2]
  const occurredAt = Date.now()
  return {
    make: (count: number): Message[] =>
      Array.from({ length: count }, () => {
        const event = traffic.live(occurredAt, random)
        return { key: event.household, value: encoder.encode(event), partition: event.household[0]! % steadyPartitions }
      }),
  }
}

const withTime = (messages: readonly { key: Buffer; value: Buffer }[]): BatchMessage[] =>
  messages.map(({ key, value }) => ({ key, value, timestamp: String(Date.now()) }))

async function untilJoined(admin: KafkaAdmin): Promise<void> {
  while ((await admin.groupMembers(group)) === 0) {
    await sleep(tickMs)
  }
}

/** Sends what is due every tick; behind its rate it sends later, never less. */
async function send(
  producer: Producer,
  { messages, rate, unseen }: { messages: readonly Message[]; rate: number; unseen: Sent[] },
): Promise<void> {
  const startedMs = performance.now()
  for (let sent = 0; sent < messages.length;) {
    const due = Math.min(messages.length, Math.floor(((performance.now() - startedMs) / 1_000) * rate))
    const batch = messages.slice(sent, due)
    if (batch.length > 0) {
      const acknowledged = await producer.send({ topic, acks: -1, messages: batch })
      const acknowledgedMs = performance.now()
      for (const { partition, baseOffset } of acknowledged) {
        const events = batch.filter((message) => message.partition === partition).length
        unseen.push({ partition, events, lastOffset: Number(baseOffset) + events - 1, acknowledgedMs })
      }
      sent = due
    }
    await sleep(tickMs)
  }
}

/** Asks for the rows behind the last one seen, by the table's key, until all are seen. */
async function watch(
  pipeline: ClickHouse,
  options: { topicId: string; unseen: Sent[]; total: number; skipUntilMs: number; backlog: number },
): Promise<number[]> {
  const { topicId, total, skipUntilMs, backlog } = options
  let backlogReadMs = backlog > 0 ? Infinity : undefined
  const seenUpTo = new Map<number, number>(Array.from({ length: partitions }, (_, partition) => [partition, -1]))
  const latenciesMs: number[] = []
  const startedMs = performance.now()
  for (let seen = 0; seen < total;) {
    const ranges = [...seenUpTo].map(([partition, offset]) => `(partition = ${partition} AND kafka_offset > ${offset})`)
    const rows = await pipeline.rows<{ partition: number; last: number }>(
      `SELECT partition, max(kafka_offset) AS last FROM ${database}.intent_events
       WHERE topic_id = {topicId:UUID} AND (${ranges.join(' OR ')}) GROUP BY partition`,
      { topicId },
    )
    const nowMs = performance.now()
    rows.forEach(({ partition, last }) => seenUpTo.set(partition, last))
    if (backlogReadMs === Infinity && seenUpTo.get(backlogPartition)! >= backlog - 1) {
      backlogReadMs = nowMs
      say(`the backlog is read after ${((nowMs - startedMs) / 1_000).toFixed(1)} s`)
    }
    for (const sent of options.unseen.splice(0)) {
      if (sent.lastOffset > seenUpTo.get(sent.partition)!) {
        options.unseen.push(sent)
        continue
      }
      seen += sent.events
      if (sent.acknowledgedMs >= skipUntilMs && sent.acknowledgedMs < (backlogReadMs ?? Infinity)) {
        // A query may see an event before its producer has heard of the acknowledgement.
        const latencyMs = Math.max(0, nowMs - sent.acknowledgedMs)
        latenciesMs.push(...Array.from({ length: sent.events }, () => latencyMs))
      }
    }
    await sleep(lookPauseMs)
  }
  return latenciesMs
}
