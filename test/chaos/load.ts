/** The producer of a chaos run: events at a steady rate, each sent until Kafka has acknowledged it. */
import { setTimeout as sleep } from 'node:timers/promises'

import kafkajs from 'kafkajs'

import { createMessageWriter } from '../../services/producer/messages.ts'
import { createRandom } from '../../services/producer/random.ts'
import { createTraffic } from '../../services/producer/traffic.ts'
import { loadEncoders } from '../../services/producer/writer-schemas.ts'
import type { LoadMessage, Manifest } from './manifest.ts'

export interface LoadOptions {
  readonly brokers: readonly string[]
  readonly topic: string
  readonly seed: number
  readonly ratePerSecond: number
  readonly manifest: Manifest
}

export interface Load {
  /**
   * Sends to that many partitions from now on. Second copies that are still due are sent first: the pipeline knows a copy
   * only within one partition, and a household may change its own.
   */
  growTo(partitions: number): Promise<void>
  /** Sends what is still due and resolves with events per second over the whole time, outages of Kafka included. */
  finish(): Promise<number>
  /** Resolves, with what happened, when sending ended without being asked to. */
  readonly failed: Promise<Error>
}

const households = 300
/** The events happened in these days: several days of each roll-up, mostly in two months. */
const days = 20
const dayMs = 86_400_000
const duplicatesShare = 0.03
const malformedShare = 0.02
/** Second copies cross batches and owners, and stay far within the classifier's window. */
const duplicateDistanceMax = 20_000
const tickMs = 50
/** Under 1 MiB even if all of it went to one partition. */
const sendMessagesMax = 3_000
const sendBytesMax = 700_000
const forever = 2 ** 31 - 1

/**
 * An idempotent producer that retries without end: a batch whose outcome is unknown is sent again under its own sequence
 * numbers until Kafka acknowledges it, so it stands in the log once, and only then does the manifest count it. Where kafkajs
 * gives up all the same the run ends as inconclusive: nothing is guessed.
 */
export async function startLoad(options: LoadOptions): Promise<Load> {
  const { manifest, topic } = options
  const retry = { initialRetryTime: 100, maxRetryTime: 1_000, retries: forever }
  const kafka = new kafkajs.Kafka({
    brokers: [...options.brokers],
    clientId: 'chaos-load',
    connectionTimeout: 1_000,
    requestTimeout: 5_000,
    retry,
    logLevel: kafkajs.logLevel.NOTHING,
  })
  const producer = kafka.producer({
    idempotent: true,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    metadataMaxAge: 1_000,
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    retry,
  })
  await producer.connect()
  const next = createEvents(options)
  let finishing = false
  let sent = 0
  let growth: { readonly partitions: number; readonly done: () => void } | undefined

  /** False when kafkajs gave up before it sent anything: the batch keeps its sequence numbers, and is sent again. */
  async function isSent(messages: kafkajs.Message[]): Promise<boolean> {
    try {
      // No answer at all: a partition that kafkajs has not heard of yet.
      return (await producer.send({ topic, acks: -1, messages })).length > 0
    } catch (thrown) {
      // Of its look at the cluster, just before sending; a plain Error, which it takes for final.
      if (thrown instanceof Error && thrown.message === 'Broker not connected') {
        return false
      }
      throw thrown
    }
  }

  /**
   * One partition a call: kafkajs notes answers by broker, so a call for several loses the messages of a partition that
   * moves to a broker which has answered already, and sends those of one that moves away a second time.
   */
  async function sendTo(partition: number, messages: readonly LoadMessage[]): Promise<void> {
    const timestamp = String(Date.now())
    const sending = messages.map(({ key, value }) => ({ partition, key, value, timestamp }))
    while (!(await isSent(sending))) {
      await sleep(tickMs)
    }
    messages.forEach(manifest.add)
    sent += messages.length
  }

  async function send(messages: readonly LoadMessage[]): Promise<void> {
    const byPartition = Map.groupBy(messages, ({ partition }) => partition)
    await Promise.all([...byPartition].map(([partition, own]) => sendTo(partition, own)))
  }

  async function sendInBatches(messages: readonly LoadMessage[]): Promise<void> {
    let batch: LoadMessage[] = []
    let bytes = 0
    for (const message of messages) {
      batch.push(message)
      bytes += message.value?.length ?? 0
      if (batch.length >= sendMessagesMax || bytes >= sendBytesMax) {
        await send(batch)
        batch = []
        bytes = 0
      }
    }
    if (batch.length > 0) {
      await send(batch)
    }
  }

  const startedMs = performance.now()
  async function run(): Promise<void> {
    let made = 0
    while (!finishing) {
      if (growth !== undefined) {
        await sendInBatches(next.rest())
        manifest.growTo(growth.partitions)
        growth.done()
        growth = undefined
      }
      const due = Math.floor(((performance.now() - startedMs) / 1_000) * options.ratePerSecond)
      const messages: LoadMessage[] = []
      for (const until = Math.min(due, made + sendMessagesMax); made < until; made++) {
        messages.push(...next.write())
      }
      await sendInBatches(messages)
      if (made >= due) {
        await sleep(tickMs)
      }
    }
    await sendInBatches(next.rest())
  }

  const running = run()
  const failed = new Promise<Error>((resolve) => {
    running.catch((thrown: unknown) =>
      resolve(new Error('the load lost a batch to an unknown outcome: the run proves nothing', { cause: thrown })),
    )
  })
  return {
    failed,
    growTo: (partitions) => new Promise((done) => (growth = { partitions, done })),
    async finish() {
      finishing = true
      await running
      const seconds = (performance.now() - startedMs) / 1_000
      await producer.disconnect()
      return sent / seconds
    },
  }
}

function createEvents({ seed, manifest }: LoadOptions) {
  const today = Math.floor(Date.now() / dayMs)
  const random = createRandom(seed, 1)
  const traffic = createTraffic({
    ...{ seed, firstDay: today - days, days, size: { households } },
    // The same for every run: which partition a household falls in must not change.
    householdKey: Buffer.alloc(32, 7),
  })
  const writer = createMessageWriter({
    ...{ seed, encoders: loadEncoders(), schemaVersion: 'mixed' as const },
    ...{ duplicatesShare, malformedShare, duplicateDistanceMax },
  })
  type Prepared = ReturnType<typeof writer.write>[number]
  const toLoad = ({ key, value, fate }: Prepared, amountMicros?: number): LoadMessage => ({
    ...{ key, value, fate, amountMicros },
    partition: key.readUInt32BE(0) % manifest.partitions.length,
  })
  return {
    write(): LoadMessage[] {
      const event = traffic.live(Date.now() - random.integer(0, days * dayMs), random)
      const messages = writer.write(event)
      const own = messages.length - 1
      // Copies of earlier events stand before the event itself.
      return messages.map((message, index) =>
        toLoad(message, index === own ? (event.purchase?.amountMicros ?? undefined) : undefined),
      )
    },
    rest: (): LoadMessage[] => writer.rest().map((message) => toLoad(message)),
  }
}
