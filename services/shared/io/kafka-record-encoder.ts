import type { Message } from 'kafkajs'
import produce from 'kafkajs/src/protocol/requests/produce/index.js'

import { crc32c } from '../domain/crc32c.ts'

/**
 * A lean encoder of Produce requests behind kafkajs' producer.
 *
 * kafkajs makes an encoder of 512 bytes, several buffers and 64-bit objects of each record, and copies a list once for each of
 * its messages: 7 us a message. Here the size of a request is added up and its bytes are written once, 0.5 us. Sequences,
 * retries, brokers and answers stay kafkajs'.
 *
 * Only lists made by `oneBatch` are encoded here, and only uncompressed, outside transactions and for a broker that speaks
 * Produce version 7; kafkajs encodes all others by itself, and these lists, too, where one of that is not so. The bytes are
 * the same (a test compares them). Format: https://kafka.apache.org/documentation/#recordbatch.
 */
export interface BatchMessage extends Message {
  readonly key: Buffer | null
  readonly value: Buffer | null
  /** Milliseconds since 1970-01-01 UTC. */
  readonly timestamp: string
  readonly headers?: never
}

/** The messages of one call to kafkajs, all for that partition. */
export function oneBatch(partition: number, messages: readonly BatchMessage[]): BatchMessage[] {
  if (!installed) {
    installed = true
    install()
  }
  const batch = [...messages]
  // kafkajs sorts messages by partition with this method, in a way that takes the square of their number.
  Object.defineProperty(batch, 'reduce', { value: () => ({ [partition]: batch }) })
  ours.add(batch)
  return batch
}

const ours = new WeakSet<object>()
let installed = false

const versionEncoded = 7

function install(): void {
  const stock = produce.protocol
  produce.protocol = (lookup) => {
    const make = stock(lookup)
    return lookup.version !== versionEncoded
      ? make
      : (asked) => {
          const made = make(asked)
          return canEncode(asked as ProduceRequest)
            ? { ...made, request: { ...made.request, encode: () => encodeForKafkajs(asked as ProduceRequest) } }
            : made
        }
  }
}

export interface ProduceRequest {
  readonly acks: number
  readonly timeout: number
  readonly transactionalId?: string | null | undefined
  /** A number of kafkajs: its decimal digits are all that is used. */
  readonly producerId: unknown
  readonly producerEpoch: number
  readonly compression: number
  readonly topicData: readonly TopicData[]
}

interface TopicData {
  readonly topic: string
  readonly partitions: readonly {
    readonly partition: number
    readonly firstSequence: number
    readonly messages: readonly BatchMessage[]
  }[]
}

function canEncode({ compression, transactionalId, topicData }: ProduceRequest): boolean {
  return (
    compression === 0 &&
    (transactionalId ?? '') === '' &&
    topicData.every(({ partitions }) => partitions.every(({ messages }) => ours.has(messages)))
  )
}

/** What kafkajs expects of an encoder that is full. */
function encodeForKafkajs(request: ProduceRequest): Promise<{ buf: Buffer; buffer: Buffer; size: () => number }> {
  const buffer = encodeProduceRequest(request)
  return Promise.resolve({ buf: buffer, buffer, size: () => buffer.length })
}

const noBytes = -1
/** From the batch's length (excluded) to its first record: https://kafka.apache.org/documentation/#recordbatch. */
const batchHeaderBytes = 49
const batchStartBytes = 12
/** Between the batch's length and what its checksum covers: leader epoch, magic and the checksum itself. */
const uncheckedBytes = 9
const magic = 2

/** The body of a Produce request, version 7 (the versions from 3 on have the same). */
export function encodeProduceRequest(request: ProduceRequest): Buffer {
  const { acks, timeout, topicData } = request
  const plans = topicData.map(({ topic, partitions }) => ({
    name: Buffer.from(topic),
    partitions: partitions.map((data) => ({ ...data, plan: planBatch(data.messages) })),
  }))
  let size = 12
  for (const { name, partitions } of plans) {
    size += 6 + name.length
    for (const { plan } of partitions) {
      size += 8 + batchStartBytes + batchHeaderBytes + plan.recordsBytes
    }
  }
  const bytes = Buffer.allocUnsafe(size)
  let at = bytes.writeInt16BE(noBytes, 0)
  at = bytes.writeInt16BE(acks, at)
  at = bytes.writeInt32BE(timeout, at)
  at = bytes.writeInt32BE(plans.length, at)
  for (const { name, partitions } of plans) {
    at = bytes.writeInt16BE(name.length, at)
    at += name.copy(bytes, at)
    at = bytes.writeInt32BE(partitions.length, at)
    for (const { partition, messages, firstSequence, plan } of partitions) {
      at = bytes.writeInt32BE(partition, at)
      at = bytes.writeInt32BE(batchStartBytes + batchHeaderBytes + plan.recordsBytes, at)
      at = writeBatch(bytes, at, { messages, firstSequence, plan, producer: request })
    }
  }
  return bytes
}

interface BatchPlan {
  readonly firstTimestampMs: number
  readonly lastTimestampMs: number
  readonly timestampDeltas: Float64Array
  /** Of each record, without the varint of the size itself. */
  readonly recordSizes: Int32Array
  readonly recordsBytes: number
}

function planBatch(messages: readonly BatchMessage[]): BatchPlan {
  const timestampDeltas = Float64Array.from(messages, ({ timestamp }) => Number(timestamp))
  const firstTimestampMs = timestampDeltas.reduce((low, ms) => Math.min(low, ms), Infinity)
  const lastTimestampMs = timestampDeltas.reduce((high, ms) => Math.max(high, ms), -Infinity)
  const recordSizes = new Int32Array(messages.length)
  let recordsBytes = 0
  for (let index = 0; index < messages.length; index++) {
    const { key, value } = messages[index]!
    const delta = (timestampDeltas[index]! -= firstTimestampMs)
    // A byte of attributes and one that says that there are no headers stand in each record.
    const size = 2 + varintBytes(delta) + varintBytes(index) + sizedBytes(key) + sizedBytes(value)
    recordSizes[index] = size
    recordsBytes += varintBytes(size) + size
  }
  return { firstTimestampMs, lastTimestampMs, timestampDeltas, recordSizes, recordsBytes }
}

interface BatchToWrite {
  readonly messages: readonly BatchMessage[]
  readonly firstSequence: number
  readonly plan: BatchPlan
  readonly producer: Pick<ProduceRequest, 'producerId' | 'producerEpoch'>
}

function writeBatch(bytes: Buffer, start: number, { messages, firstSequence, plan, producer }: BatchToWrite): number {
  let at = bytes.writeBigInt64BE(0n, start)
  at = bytes.writeInt32BE(batchHeaderBytes + plan.recordsBytes, at)
  at = bytes.writeInt32BE(0, at)
  at = bytes.writeInt8(magic, at)
  const checksumAt = at
  at = bytes.writeInt16BE(0, at + 4)
  at = bytes.writeInt32BE(messages.length - 1, at)
  at = bytes.writeBigInt64BE(BigInt(plan.firstTimestampMs), at)
  at = bytes.writeBigInt64BE(BigInt(plan.lastTimestampMs), at)
  at = bytes.writeBigInt64BE(BigInt(String(producer.producerId)), at)
  at = bytes.writeInt16BE(producer.producerEpoch, at)
  at = bytes.writeInt32BE(firstSequence, at)
  at = bytes.writeInt32BE(messages.length, at)
  for (let index = 0; index < messages.length; index++) {
    at = writeVarint(bytes, at, plan.recordSizes[index]!)
    bytes[at++] = 0
    at = writeVarint(bytes, at, plan.timestampDeltas[index]!)
    at = writeVarint(bytes, at, index)
    at = writeSized(bytes, at, messages[index]!.key)
    at = writeSized(bytes, at, messages[index]!.value)
    bytes[at++] = 0
  }
  bytes.writeUInt32BE(crc32c(bytes, start + batchStartBytes + uncheckedBytes, at), checksumAt)
  return at
}

function sizedBytes(field: Buffer | null): number {
  return field === null ? 1 : varintBytes(field.length) + field.length
}

function writeSized(bytes: Buffer, at: number, field: Buffer | null): number {
  if (field === null) {
    return writeVarint(bytes, at, noBytes)
  }
  const start = writeVarint(bytes, at, field.length)
  bytes.set(field, start)
  return start + field.length
}

/** Bytes of a number as a zigzag varint; |value| below 2^52. */
function varintBytes(value: number): number {
  let size = 1
  for (let rest = zigzag(value); rest >= 0x80; rest = Math.floor(rest / 0x80)) {
    size += 1
  }
  return size
}

function writeVarint(bytes: Buffer, start: number, value: number): number {
  let at = start
  let rest = zigzag(value)
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) {
    bytes[at++] = (rest % 0x80) | 0x80
  }
  bytes[at++] = rest
  return at
}

function zigzag(value: number): number {
  return value >= 0 ? value * 2 : -value * 2 - 1
}
