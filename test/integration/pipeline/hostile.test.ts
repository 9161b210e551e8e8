/** A log full of what nobody should send: each message ends in exactly one fate, and the tables hold exactly that. */
import assert from 'node:assert/strict'
import { randomFillSync } from 'node:crypto'
import { test, type TestContext } from 'node:test'

import kafkajs from 'kafkajs'
import type { Message, Producer } from 'kafkajs'

import { createRandom } from '../../../services/producer/random.ts'
import { installCodecs } from '../../../services/shared/io/kafka-record-codecs.ts'
import { rejectionReasons } from '../../../services/shared/domain/fate.ts'
import { waitUntilDrained } from '../../support/assert-exact.ts'
import { auditCase } from '../../support/audit-case.ts'
import { createHostileMessages, type HostileMessage } from '../../support/hostile-messages.ts'
import type { ClassifierProcess } from '../../support/classifier-process.ts'
import type { PipelineCase } from '../../support/pipeline-case.ts'
import { uniqueName } from '../../support/stack.ts'
import { waitFor } from '../../support/wait-for.ts'

const seed = Number(process.env['HOSTILE_SEED'] ?? 1)
const messages = 100_000
const partitions = 3
const largeBytes = 5_000_000

test(`${messages} hostile messages: each ends in one fate, in the tables and in the metrics (seed ${seed})`, async (t) => {
  const work = await auditCase(t, { partitions, topicConfigs: takesAnything })
  const sent = await send(t, work)
  const classifier = work.startProcess({ REJECTED_PERCENT_MAX: '100', BATCH_ROWS_MAX: '10000' })
  const log = await work.readLog()
  assert.deepEqual(
    log.partitions.map(({ length }) => length),
    sent.map(({ length }) => length),
    'the log holds what was sent, and nothing of an aborted transaction',
  )
  await waitUntilDrained([log], { ...work, timeoutMs: 180_000, check: classifier.assertAlive })
  const made = sent.flat()
  // Counted right after the ledger's row, for which was waited.
  const counted = await waitFor('the metrics to have counted all', async () => {
    const fates = await countedFates(classifier)
    return Object.values(fates).reduce((sum, count) => sum + count, 0) === messages && fates
  })
  const peakMb = classifier.peakMegabytes()
  const judged = await work.assertDrained([classifier], { logs: [log] })

  // What each message was made to be, against what a decoder finds in it; the tables have just been compared with the latter.
  const wrong = judged.flatMap((one, index) => {
    const { kind, fate: wantedFate } = made[index]!
    const fate = one.fate === 'rejected' ? one.reason : one.fate
    return fate === wantedFate ? [] : [`${kind}: made to be ${wantedFate}, is ${fate}`]
  })
  assert.deepEqual(wrong.slice(0, 10), [])
  assert.equal(judged.length, messages)
  assert.deepEqual(counted, tally(made))
  const report = await work.audit()
  assert.ok(report.clean, JSON.stringify(report.differences))
  const [row] = await work.clickHouse.rows<{ intents: number }>(
    `SELECT uniqExact(intent) AS intents FROM ${work.database}.intent_events`,
  )
  assert.ok(row!.intents >= 10_000, `${row!.intents} distinct intents`)
  t.diagnostic(`${JSON.stringify(counted)}, ${row!.intents} intents, peak ${peakMb} MB`)
  assert.ok(peakMb < 500, `${peakMb} MB`)
})

interface Sent {
  readonly kind: string
  readonly fate: HostileMessage['fate'] | 'duplicate'
}

/** As a topic that nobody has given bounds: values of megabytes, any time of sending, kept for ever. */
const takesAnything = {
  'max.message.bytes': '8000000',
  'message.timestamp.before.max.ms': String(Number.MAX_SAFE_INTEGER),
  'message.timestamp.after.max.ms': String(Number.MAX_SAFE_INTEGER),
  'retention.ms': '-1',
}

/**
 * Sends the messages in sends of many sizes: plain, compressed, in transactions. Between them stand aborted transactions, and copies
 * of events sent before, also of aborted ones. Returns what each message of the log must become, partition by partition.
 */
async function send(t: TestContext, work: PipelineCase): Promise<Sent[][]> {
  installCodecs()
  const random = createRandom(seed, 1)
  const nowMs = Date.now()
  const hostile = createHostileMessages(seed, nowMs)
  const { plain, transactional } = await connectProducers(t, work)
  const logged = Array.from({ length: partitions }, (): Sent[] => [])
  const seen = logged.map(() => new Set<string>())
  const copied: HostileMessage[][] = logged.map(() => [])
  let left = messages

  /** Copies are one message in twenty. */
  const draw = (partition: number): HostileMessage => {
    const earlier = copied[partition]!
    return earlier.length > 0 && random.chance(0.05) ? earlier[random.integer(0, earlier.length - 1)]! : hostile.next()
  }
  const log = (partition: number, message: HostileMessage) => {
    const id = message.fate === 'accepted' && message.value!.subarray(5, 21).toString('hex')
    const isCopy = id !== false && seen[partition]!.has(id)
    if (id !== false) {
      seen[partition]!.add(id)
    }
    logged[partition]!.push({ kind: message.kind, fate: isCopy ? 'duplicate' : message.fate })
  }
  const remember = (partition: number, message: HostileMessage) => {
    if (message.fate === 'accepted' && copied[partition]!.length < 500) {
      copied[partition]!.push(message)
    }
  }

  for (let sends = 0; left > 0; sends++) {
    const partition = sends % partitions
    const isLarge = sends % 30 === 10
    const count = isLarge ? 1 : Math.min(left, random.integer(1, 1_400))
    const drawn = isLarge
      ? [largeMessage(random.chance(0.5), nowMs)]
      : Array.from({ length: count }, () => draw(partition))
    const outgoing = { topic: work.topic, messages: drawn.map((message) => toKafka(message, partition)) }
    const way = random.integer(0, 5)
    if (way < 2) {
      const transaction = await transactional.transaction()
      await transaction.send(outgoing)
      await (way === 0 ? transaction.abort() : transaction.commit())
    } else {
      const compressions = [kafkajs.CompressionTypes.None, kafkajs.CompressionTypes.GZIP, kafkajs.CompressionTypes.ZSTD]
      await plain.send({ ...outgoing, compression: compressions[way % 3]! })
    }
    drawn.forEach((message) => remember(partition, message))
    if (way > 0) {
      drawn.forEach((message) => log(partition, message))
      left -= count
    }
  }
  return logged
}

async function connectProducers(t: TestContext, work: PipelineCase) {
  const options = { createPartitioner: kafkajs.Partitioners.DefaultPartitioner }
  const plain = work.kafka.producer(options)
  const idempotence = { idempotent: true, maxInFlightRequests: 1, transactionTimeout: 60_000 }
  const transactional = work.kafka.producer({ ...options, ...idempotence, transactionalId: uniqueName('hostile') })
  for (const producer of [plain, transactional]) {
    await producer.connect()
    t.after(() => producer.disconnect())
  }
  return { plain, transactional } satisfies Record<string, Producer>
}

/** 5 MB, of the kind that compresses to nothing or of the kind that does not. */
function largeMessage(isRepetitive: boolean, timestampMs: number): HostileMessage {
  const value = isRepetitive ? Buffer.alloc(largeBytes) : randomFillSync(Buffer.alloc(largeBytes))
  return { kind: '5 MB', fate: 'too_large', key: null, value, timestampMs }
}

function toKafka({ key, value, timestampMs }: HostileMessage, partition: number): Message {
  return { key, value, partition, timestamp: String(timestampMs) }
}

function tally(sent: readonly Sent[]): Record<string, number> {
  const counts = Object.fromEntries(['accepted', 'duplicate', ...rejectionReasons].map((fate) => [fate, 0]))
  for (const { fate } of sent) {
    counts[fate]! += 1
  }
  return counts
}

async function countedFates(classifier: ClassifierProcess): Promise<Record<string, number>> {
  const counted: Record<string, number> = {}
  for (const fate of ['accepted', 'duplicate']) {
    counted[fate] = await classifier.counter('intent_ledger_events_total', `fate="${fate}"`)
  }
  for (const reason of rejectionReasons) {
    counted[reason] = await classifier.counter('intent_ledger_rejected_events_total', `reason="${reason}"`)
  }
  return counted
}
