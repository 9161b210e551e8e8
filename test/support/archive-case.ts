import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { registerArchive } from '../../services/archive/commands.ts'
import { readArchive, readArchiveIndex } from '../../services/shared/io/archive-reader.ts'
import { createKafka } from '../../services/shared/io/kafka.ts'
import { createLogger } from '../../services/shared/io/log.ts'
import { createHostileMessages } from './hostile-messages.ts'
import type { PipelineCase } from './pipeline-case.ts'
import { collectSaid, parseHere } from './said.ts'
import { someValues } from './some-events.ts'
import type { LoggedMessage, TopicLog } from './topic-log.ts'
import { transactions } from './transactions.ts'

export interface VerbAnswer {
  readonly stdout: string
  readonly stderr: string
  readonly exitCode: string | number | null | undefined
}

/** The archive's verbs in this process, on the servers of a case. */
export function archiveVerbs(work: PipelineCase): (...words: string[]) => Promise<VerbAnswer> {
  const { admin, topic, stack } = work
  const log = createLogger({ service: 'test', level: 'silent', pretty: false })
  const kafka = createKafka({ brokers: stack.kafkaBrokers, clientId: 'test', ssl: false }, log)
  return async (...words) => {
    const { said, streams } = collectSaid()
    const context = {
      ...{ env: {}, ...streams, log, environment: () => ({}) },
      kafka: () => Promise.resolve({ kafka, admin, topic }),
    }
    const exitCode = await parseHere((program) => registerArchive(program, context), ['archive', ...words])
    return { ...said, exitCode }
  }
}

/** A folder of one test's own, that is not there yet. */
export async function archiveFolder(t: { after(clean: () => Promise<void>): void }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'intent-ledger-archive-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  return join(folder, 'log')
}

/** For topics that take messages with any time, as those of others may. */
export const anyTime = { 'message.timestamp.after.max.ms': '9223372036854775807' }

/** Fills partition 0 with all that a log can hold, and the others with simulated traffic. */
export async function sendEverything(work: PipelineCase, t: Parameters<typeof transactions>[1]): Promise<void> {
  await work.simulate({ events: 3_000 })
  const send = await transactions(work, t)
  const hostile = createHostileMessages(7, Date.now())
  await work.send(Array.from({ length: 1_500 }, () => hostile.next()))
  await send.abort(someValues(130, 1))
  await send.commit(someValues(40, 1), someValues(40, 2))
  await work.send([
    { value: null, key: null },
    { value: null, key: Buffer.from('only a key') },
    { value: Buffer.alloc(0), key: Buffer.alloc(0) },
    { value: Buffer.from([0, 0, 0, 0, 1]) },
    { value: Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 1, 2, 3]), timestampMs: 0 },
    { value: Buffer.concat([someValues(1)[0]!.value, Buffer.from([0])]), timestampMs: 1_000_000_000_000 },
    { value: Buffer.alloc(300_000, 7) },
  ])
  await send.abort(someValues(30, 2))
}

/** The archive's messages of a partition, all that it holds. */
export async function readBack(dir: string, partition: number): Promise<LoggedMessage[]> {
  const index = await readArchiveIndex(dir)
  const { start, next } = index.partitions.find((one) => one.partition === partition)!
  const found: LoggedMessage[] = []
  let reached = start
  for await (const chunk of readArchive(dir, index, { partition, first: start, last: next - 1 })) {
    assert.equal(chunk.first, reached)
    reached = chunk.last + 1
    while (chunk.records.next()) {
      const { record } = chunk.records
      assert.ok(record.offset >= chunk.first && record.offset <= chunk.last)
      const span = (bytes: Uint8Array, from: number, to: number) =>
        from < 0 ? null : Buffer.from(bytes.subarray(from, to))
      found.push({
        ...{ offset: record.offset, timestampMs: record.timestampMs },
        key: span(record.keyBytes, record.keyStart, record.keyEnd),
        value: span(record.bytes, record.valueStart, record.valueEnd),
      })
    }
  }
  assert.equal(reached, next)
  return found
}

/** Each message of the log stands in the archive as it was, once and in its order, and nothing else does. */
export async function assertSameAsLog(dir: string, log: TopicLog, from = 0): Promise<void> {
  for (const [partition, messages] of log.partitions.entries()) {
    assert.deepEqual(
      await readBack(dir, partition),
      messages.filter(({ offset }) => offset >= from),
      `partition ${partition}`,
    )
  }
}
