/** What parts of the hot path cost by themselves, without servers, beside what they stand in for. */
import { createRequire } from 'node:module'

import { createRandom } from '../../services/producer/random.ts'
import { createTraffic } from '../../services/producer/traffic.ts'
import { loadEncoders } from '../../services/producer/writer-schemas.ts'
import { assistantIntents } from '../../services/shared/domain/assistant-intents.ts'
import { crc32c } from '../../services/shared/domain/crc32c.ts'
import { createDuplicateMemory } from '../../services/shared/domain/duplicate-memory.ts'
import { defaultFateSettings } from '../../services/shared/domain/fate.ts'
import { headerBytes } from '../../services/shared/domain/wire.ts'
import { decodeRecordSet, openBatches } from '../../services/shared/io/kafka-record-decoder.ts'
import { encodeProduceRequest } from '../../services/shared/io/kafka-record-encoder.ts'
import { openFileRegistry } from '../../services/shared/io/schema-registry.ts'
import { loadTaxonomy } from '../../services/shared/io/taxonomy-file.ts'
import { createGatherer } from '../../services/shared/pipeline/gather.ts'
import { createReader, type Reader } from '../../services/shared/pipeline/reader.ts'
import { readCounts } from './options.ts'
import { spreadOf } from './summary.ts'
import { loadWriterTypes } from './writer-types.ts'

const help = `npm run bench -- decode|walker [--events <n>] [--rounds <n>]

Without servers: so many simulated events (default 100000) in record batches of 1,000, so many rounds (default 11), in turn.
  decode  from the bytes of a fetch to each record: kafkajs' decoder and ours
  walker  from a record's value to its fields: avro-js, the walker, and all that a classifier does with an event
`
const recordsPerBatch = 1_000
const warmUpRounds = 3
const dayMs = 86_400_000
const schemaId = 2

const require = createRequire(import.meta.url)
const KafkajsDecoder = require('kafkajs/src/protocol/decoder') as new (bytes: Buffer) => unknown
const decodeByKafkajs = require('kafkajs/src/protocol/requests/fetch/v4/decodeMessages') as (
  decoder: unknown,
) => Promise<readonly { value: Buffer }[]>

/** A part's name, and one round of it: resolves with a number that shows that all was done. */
type Part = readonly [name: string, run: () => number | Promise<number>]

export async function measureDecode(args: string[]): Promise<void> {
  await measure(args, ({ set, values }) => {
    const answer = Buffer.concat([Buffer.alloc(4), set])
    answer.writeInt32BE(set.length)
    return [
      ['kafkajs', async () => (await decodeByKafkajs(new KafkajsDecoder(answer))).length],
      [
        'ours, checksum included',
        async () => {
          const cursor = openBatches(await decodeRecordSet(set, []), 0)
          let records = 0
          while (cursor.next()) {
            records += 1
          }
          return records
        },
      ],
      ['the checksum alone', () => (crc32c(set, 0, set.length) > -1 ? values.length : 0)],
    ]
  })
}

export async function measureWalker(args: string[]): Promise<void> {
  const type = (await loadWriterTypes()).get(schemaId)!
  const reader = await openReader()
  const at = new Int32Array(assistantIntents.fields.length * 2)
  await measure(args, ({ set, values }) => [
    [
      'avro-js, to an object',
      () => values.filter((value) => type.fromBuffer(value.subarray(headerBytes)) !== null).length,
    ],
    [
      'the walker',
      () => values.filter((value) => reader.walker.walk(value, headerBytes, value.length, at) === value.length).length,
    ],
    ['all that is done with an event, from its record to its row', async () => gather(set, reader)],
  ])
}

async function openReader(): Promise<Reader> {
  const schema = await openFileRegistry().schema(schemaId)
  const reader = 'fault' in schema ? schema : createReader(assistantIntents, schema, loadTaxonomy(1).taxonomy)
  if ('fault' in reader) {
    throw new Error(reader.fault)
  }
  return reader
}

/** As a partition does it, with the memory of ids that it has. */
async function gather(set: Buffer, reader: Reader): Promise<number> {
  const memory = createDuplicateMemory(defaultFateSettings.duplicateWindowOffsets)
  const gatherer = createGatherer({ stream: assistantIntents, fates: defaultFateSettings, memory })
  gatherer.resolve(schemaId, reader)
  const cursor = openBatches(await decodeRecordSet(set, []), 0)
  while (cursor.next()) {
    gatherer.add(cursor.record)
  }
  return gatherer.tally.accepted
}

interface Log {
  /** Record batches, one after the other. */
  readonly set: Buffer
  readonly values: readonly Buffer[]
}

async function measure(args: string[], partsOf: (log: Log) => readonly Part[]): Promise<void> {
  const options = readCounts(args, { events: [1_000, 1_000_000, 100_000], rounds: [1, 1_000, 11] })
  if (options === undefined) {
    process.stdout.write(help)
    return
  }
  const parts = partsOf(makeLog(options.events))
  const microseconds = parts.map((): number[] => [])
  for (let round = -warmUpRounds; round < options.rounds; round++) {
    for (const [index, [name, run]] of parts.entries()) {
      const started = performance.now()
      const done = await run()
      const took = performance.now() - started
      if (done !== options.events) {
        throw new Error(`${name} did ${done} of ${options.events} events`)
      }
      if (round >= 0) {
        microseconds[index]!.push((took * 1_000) / options.events)
      }
    }
  }
  for (const [index, [name]] of parts.entries()) {
    const { median, low, high } = spreadOf(microseconds[index]!)
    process.stdout.write(`${name}: ${median.toFixed(3)} us an event (${low.toFixed(3)} to ${high.toFixed(3)})\n`)
  }
}

function makeLog(events: number): Log {
  const now = Date.now()
  const traffic = createTraffic({
    ...{ seed: 1, firstDay: Math.floor(now / dayMs) - 2, days: 2, size: { households: 300 } },
    householdKey: Buffer.alloc(16, 1),
  })
  const random = createRandom(1)
  const encoder = loadEncoders()[schemaId]
  const messages = Array.from({ length: events }, () => {
    const event = traffic.live(now, random)
    return { key: event.household, value: encoder.encode(event), timestamp: String(now) }
  })
  const batches: Buffer[] = []
  for (let first = 0; first < events; first += recordsPerBatch) {
    batches.push(batchOf(messages.slice(first, first + recordsPerBatch), first))
  }
  return { set: Buffer.concat(batches), values: messages.map(({ value }) => value) }
}

/** The record batch stands at the end of a request that sends it alone. */
function batchOf(
  messages: Parameters<typeof encodeProduceRequest>[0]['topicData'][0]['partitions'][0]['messages'],
  offset: number,
): Buffer {
  const request = (held: typeof messages) =>
    encodeProduceRequest({
      ...{ acks: -1, timeout: 0, producerId: 1, producerEpoch: 0, compression: 0 },
      topicData:
        held.length === 0 ? [] : [{ topic: 't', partitions: [{ partition: 0, firstSequence: 0, messages: held }] }],
    })
  const bytes = request(messages)
  const topicBytes = 7
  const partitionBytes = 8
  const batch = bytes.subarray(request([]).length + topicBytes + partitionBytes)
  batch.writeBigInt64BE(BigInt(offset))
  return batch
}
