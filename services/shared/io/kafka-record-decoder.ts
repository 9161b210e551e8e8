import { AsyncLocalStorage } from 'node:async_hooks'

import fetchResponse from 'kafkajs/src/protocol/requests/fetch/v11/response.js'

import { crc32c } from '../domain/crc32c.ts'
import { messageOf, PipelineError } from '../domain/faults.ts'
import { newRecord, viewOf, type RecordCursor } from '../domain/log-record.ts'
import { decompress, UnreadableBatch } from './kafka-record-codecs.ts'
import { openAnswer, type Answer } from './kafka-record-answer.ts'

/**
 * A lean decoder of Fetch answers behind kafkajs' consumer.
 *
 * kafkajs makes an object, two buffers, a headers object and four BigInts of each record, 1.7 us an event and most of the
 * garbage. Here one `RecordBatch` stands for all records that a producer sent together: kafkajs handles it as if it were one
 * message, and `openBatches` goes over its records in place, 0.05 us an event. Group, fetch loop, offsets and errors stay kafkajs'.
 *
 * More strict than kafkajs: the batch's CRC-32C is checked, and a producer's second aborted transaction is left out, too.
 * Format: https://kafka.apache.org/documentation/#recordbatch. `KAFKA_DECODER=kafkajs` switches it off; a broker that
 * does not speak Fetch version 11 gets kafkajs' own decoder anyway.
 */
export interface RecordBatch {
  /** The last offset that the batch covers: what kafkajs resolves, and compares with the offset it asked for. */
  readonly offset: string
  /** Always false, so that kafkajs hands over the fetch and its end also when nothing in it is to be read. */
  readonly isControlRecord: false
  readonly recordBatch: Records
}

interface Records {
  readonly baseOffset: number
  readonly baseTimestampMs: number
  /** The broker's time for all records, where the topic says LogAppendTime. */
  readonly appendTimestampMs: number | undefined
  /** Records to read: 0 for control batches and aborted transactions. */
  readonly count: number
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
}

type OnFinal = (fault: PipelineError) => void
const leanContext = new AsyncLocalStorage<OnFinal>()
let installed = false

/**
 * Runs `start`; fetch loops that begin in it have their answers decoded leanly, all others of the process do not. `onFinal` hears
 * at once of what no retry mends, which kafkajs would try again for a while.
 */
export async function decodingLeanly<T>(start: () => Promise<T>, onFinal: OnFinal): Promise<T> {
  if (!installed) {
    installed = true
    const stock = fetchResponse.decode
    fetchResponse.decode = (payload) => {
      const listener = leanContext.getStore()
      return listener === undefined ? stock(payload) : decodeFetchResponse(payload, listener)
    }
  }
  return leanContext.run(onFinal, start)
}

/** Goes over the records of batches from `fetchedOffset` on. `next` throws when a record does not fit into its batch. */
export function openBatches(batches: readonly RecordBatch[], fetchedOffset: number): RecordCursor {
  const record = newRecord()
  let index = 0
  let left = 0
  let batch: Records | undefined
  let bytes = record.bytes
  let at = 0

  function open(): boolean {
    batch = batches[index++]?.recordBatch
    if (batch === undefined) {
      return false
    }
    ;({ count: left, start: at, bytes } = batch)
    record.bytes = record.keyBytes = bytes
    record.view = viewOf(bytes)
    return true
  }

  /** A zigzag varint at `at`, which it moves on; exact below 2^52. */
  function varint(): number {
    let byte = bytes[at++]!
    if (byte < 0x80) {
      return (byte >>> 1) ^ -(byte & 1)
    }
    let value = byte & 0x7f
    for (let scale = 128; byte >= 0x80; scale *= 128) {
      byte = bytes[at++]!
      value += (byte & 0x7f) * scale
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2
  }

  return {
    record,
    next() {
      for (;;) {
        while (left === 0) {
          if (!open()) {
            return false
          }
        }
        left -= 1
        const size = varint()
        const recordEnd = at + size
        at += 1
        const timestampDelta = varint()
        const offset = batch!.baseOffset + varint()
        const keySize = varint()
        const keyStart = keySize < 0 ? -1 : at
        at += Math.max(0, keySize)
        const keyEnd = keySize < 0 ? -1 : at
        const valueSize = varint()
        const valueStart = valueSize < 0 ? -1 : at
        const valueEnd = valueSize < 0 ? -1 : at + valueSize
        // Headers, the rest of the record, are not read. Written so that NaN, from reading past the bytes, is refused.
        if (!(recordEnd <= batch!.end && at <= recordEnd && valueEnd <= recordEnd)) {
          throw damaged(batch!.baseOffset, 'a record does not fit into its batch')
        }
        at = recordEnd
        if (offset >= fetchedOffset) {
          record.offset = offset
          record.timestampMs = batch!.appendTimestampMs ?? batch!.baseTimestampMs + timestampDelta
          record.keyStart = keyStart
          record.keyEnd = keyEnd
          record.valueStart = valueStart
          record.valueEnd = valueEnd
          return true
        }
      }
    },
  }
}

/** The answer as kafkajs' own decoder gives it, with record batches in place of messages. */
export async function decodeFetchResponse(payload: Buffer, onFinal: OnFinal = () => undefined): Promise<unknown> {
  const input = openAnswer(payload)
  const clientSideThrottleTime = input.int32()
  const errorCode = input.int16()
  const sessionId = input.int32()
  const responses = []
  for (let topics = input.int32(); topics > 0; topics--) {
    const topicName = input.text()
    const partitions = []
    for (let count = input.int32(); count > 0; count--) {
      partitions.push(await decodePartition(input, topicName, onFinal))
    }
    responses.push({ topicName, partitions })
  }
  return { throttleTime: 0, clientSideThrottleTime, errorCode, sessionId, responses }
}

async function decodePartition(input: Answer, topic: string, onFinal: OnFinal) {
  const partition = input.int32()
  const errorCode = input.int16()
  const highWatermark = input.int64().toString()
  const lastStableOffset = input.int64().toString()
  const lastStartOffset = input.int64().toString()
  const aborted: AbortedTransaction[] = []
  for (let count = input.int32(); count > 0; count--) {
    aborted.push({ producerId: input.int64(), firstOffset: Number(input.int64()) })
  }
  const preferredReadReplica = input.int32()
  const records = input.sized()
  const messages = await decodeRecordSet(records, aborted).catch((thrown: unknown) => {
    const known = thrown instanceof PipelineError ? thrown : { code: 'kafka_refused' as const, cause: thrown }
    const fault = new PipelineError(`${topic}/${partition}: ${messageOf(thrown)}`, known)
    if (!fault.retryable) {
      onFinal(fault)
    }
    throw fault
  })
  // Aborted transactions are left out by now: kafkajs must not look for them among batches.
  const known = { partition, errorCode, highWatermark, lastStableOffset, lastStartOffset, preferredReadReplica }
  return { ...known, abortedTransactions: [], messages }
}

export type AbortedTransaction = Readonly<{ producerId: bigint; firstOffset: number }>

/** Bytes of a batch before its records, and where its parts stand. */
const headerBytes = 61
const lengthEnd = 12
const crcEnd = 21
const appendTimeFlag = 0x8
const transactionalFlag = 0x10
const controlFlag = 0x20
const codecMask = 0x7

/** Decodes the record batches of one partition's answer. The last one may be cut off, by the size that the fetch asked for. */
export async function decodeRecordSet(
  set: Buffer,
  abortedTransactions: readonly AbortedTransaction[],
): Promise<RecordBatch[]> {
  const batches: RecordBatch[] = []
  const pending = [...abortedTransactions].sort((a, b) => a.firstOffset - b.firstOffset)
  const aborting = new Set<bigint>()
  for (let start = 0; start + headerBytes <= set.length;) {
    const baseOffset = Number(set.readBigInt64BE(start))
    const end = start + lengthEnd + set.readInt32BE(start + 8)
    const magic = set.readInt8(start + 16)
    if (magic !== 2) {
      throw new PipelineError(
        `the log at offset ${baseOffset} is in message format ${magic}, from before Kafka 0.11; only format 2 is read`,
        { code: 'kafka_refused' },
      )
    }
    if (end > set.length) {
      break
    }
    if (end < start + headerBytes) {
      throw damaged(baseOffset, 'the batch says it is shorter than its header')
    }
    if (crc32c(set, start + crcEnd, end) !== set.readUInt32BE(start + 17)) {
      throw damaged(baseOffset, 'the checksum is wrong')
    }
    const lastOffset = baseOffset + set.readInt32BE(start + 23)
    if (!Number.isSafeInteger(lastOffset)) {
      throw damaged(baseOffset, 'the offset is beyond 2^53')
    }
    while (pending.length > 0 && pending[0]!.firstOffset <= lastOffset) {
      aborting.add(pending.shift()!.producerId)
    }
    const batch = await decodeBatch(set, start, end, aborting)
    batches.push({ offset: String(lastOffset), isControlRecord: false, recordBatch: batch })
    start = end
  }
  return batches
}

async function decodeBatch(set: Buffer, start: number, end: number, aborting: Set<bigint>): Promise<Records> {
  const attributes = set.readInt16BE(start + crcEnd)
  const producerId = set.readBigInt64BE(start + 43)
  const batch = {
    baseOffset: Number(set.readBigInt64BE(start)),
    baseTimestampMs: Number(set.readBigInt64BE(start + 27)),
    appendTimestampMs: (attributes & appendTimeFlag) === 0 ? undefined : Number(set.readBigInt64BE(start + 35)),
    count: set.readInt32BE(start + 57),
    bytes: set,
    start: start + headerBytes,
    end,
  }
  if ((attributes & controlFlag) !== 0) {
    if (isAbortMarker(batch)) {
      aborting.delete(producerId)
    }
    return { ...batch, count: 0 }
  }
  if ((attributes & transactionalFlag) !== 0 && aborting.has(producerId)) {
    return { ...batch, count: 0 }
  }
  const codec = attributes & codecMask
  if (codec === 0 || batch.count === 0) {
    return batch
  }
  const bytes = await unpack(codec, set.subarray(batch.start, end), batch.baseOffset)
  return { ...batch, bytes, start: 0, end: bytes.length }
}

/** A control record's key is its version and its type, 2 bytes each; type 0 ends an aborted transaction. */
function isAbortMarker(batch: Records): boolean {
  const cursor = openBatches([{ offset: '', isControlRecord: false, recordBatch: batch }], 0)
  if (!cursor.next()) {
    return false
  }
  const { keyBytes, keyStart, keyEnd } = cursor.record
  return keyEnd - keyStart >= 4 && keyBytes[keyStart + 2] === 0 && keyBytes[keyStart + 3] === 0
}

async function unpack(codec: number, bytes: Buffer, offset: number): Promise<Uint8Array> {
  try {
    return await decompress(codec, bytes)
  } catch (thrown) {
    throw thrown instanceof UnreadableBatch
      ? new PipelineError(`the batch at offset ${offset} is ${thrown.message}`, { code: 'kafka_refused' })
      : damaged(offset, messageOf(thrown))
  }
}

function damaged(offset: number, what: string): PipelineError {
  return new PipelineError(`the batch at offset ${offset} arrived damaged: ${what}`, {
    code: 'kafka_unreachable',
    retryable: true,
  })
}
