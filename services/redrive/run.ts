import { randomUUID } from 'node:crypto'

import { messageOf, PipelineError } from '../shared/domain/faults.ts'
import { originHeader, originText } from '../shared/domain/origin.ts'
import type { KafkaAdmin } from '../shared/io/kafka-admin.ts'
import type { LogFetcher } from '../shared/io/kafka-fetch.ts'
import type { Transactions } from '../shared/io/kafka-transactions.ts'
import type { Candidate, CandidateSource } from './candidates.ts'
import type { RedriveRecord, RedriveRow, RedriveState } from './record.ts'
import type { Rejection, Rejudge } from './rejudge.ts'
import { findCopies, settled } from './settle.ts'
import { createTally, type Tally } from './tally.ts'

/** Everything outside that a run works with. Tests put decorated parts here; the product never does. */
export interface RedriveParts {
  readonly topic: string
  readonly admin: Pick<KafkaAdmin, 'topicId' | 'watermarks'>
  readonly fetcher: LogFetcher
  readonly source: CandidateSource
  readonly record: RedriveRecord
  readonly rejudge: Rejudge
  /** Ends every other run on this topic, see `openTransactions`. */
  openTransactions(): Promise<Transactions>
}

export interface RedriveOptions {
  readonly dryRun: boolean
  readonly signal: AbortSignal
  readonly say: (line: string) => void
  /** Offsets of the log that are read for what an earlier run has sent. */
  readonly onLook: (done: number, total: number) => void
  readonly onProgress: (done: number, total: number) => void
}

export interface RedriveReport {
  /** False when the signal came before the end. */
  readonly finished: boolean
  readonly dryRun: boolean
  readonly candidates: number
  /** Sent by an earlier run, or of a fate that can't be known. */
  readonly before: number
  /** Sent now, or what would be. */
  readonly sent: number
  readonly stay: number
  readonly rows: Tally['rows']
  /** What became of messages that an earlier run had planned before it was cut off. */
  readonly settled: Readonly<Record<Exclude<RedriveState, 'planned'>, number>>
}

/**
 * Sends rejected messages that would now pass to the log again, each at most once. The steps, and why in this order:
 *
 * 1. Open the transactions. An earlier run can commit nothing from here on, and what it was committing is in the log.
 * 2. Settle what earlier runs have planned and not noted as sent, by what stands in the log.
 * 3. By batch: note it as planned, send it in one transaction, commit, note it as sent.
 *
 * Whatever fails ends the run, and the next one begins at step 1: nothing is repeated on a guess.
 */
export async function redrive(parts: RedriveParts, options: RedriveOptions): Promise<RedriveReport> {
  const tally = createTally()
  const transactions = options.dryRun ? undefined : await parts.openTransactions()
  try {
    const settledNow = transactions === undefined ? noneSettled : await settleEarlier(parts, options)
    const { candidates, before } = await parts.source.counts()
    const finished = await redriveAll(parts, { ...options, tally, transactions, candidates })
    return {
      ...{ finished, dryRun: options.dryRun, candidates, before, settled: settledNow },
      ...{ sent: tally.sent, stay: tally.stay, rows: tally.rows },
    }
  } catch (thrown) {
    throw withAccount(thrown, parts.topic, tally.sent)
  } finally {
    await transactions?.close()
  }
}

const noneSettled = { sent: 0, not_sent: 0, unknown: 0 }

async function settleEarlier(
  parts: RedriveParts,
  { say, signal, onLook }: RedriveOptions,
): Promise<RedriveReport['settled']> {
  const { topic, record, admin, fetcher } = parts
  const planned = await record.unsettled(topic)
  if (planned.length === 0) {
    return noneSettled
  }
  say(`an earlier run was cut off: looking in the log for ${planned.length} messages that it had planned`)
  const [topicId, watermarks] = await Promise.all([admin.topicId(topic), admin.watermarks(topic)])
  const log = await findCopies(planned, {
    ...{ topic, topicId, watermarks, fetcher },
    ...{ signal, onRead: onLook },
  })
  if (log === undefined) {
    return noneSettled
  }
  const rows = settled(planned, log)
  await record.add(topic, rows)
  const count = (state: RedriveState) => rows.filter((row) => row.state === state).length
  return { sent: count('sent'), not_sent: count('not_sent'), unknown: count('unknown') }
}

interface Running extends RedriveOptions {
  readonly tally: Tally
  readonly transactions: Transactions | undefined
  readonly candidates: number
}

/** Returns false when the signal came first. */
async function redriveAll(parts: RedriveParts, running: Running): Promise<boolean> {
  const { tally, transactions, signal } = running
  if (signal.aborted) {
    return false
  }
  const [ledger, topicId, watermarks] = await Promise.all([
    parts.source.parts(),
    parts.admin.topicId(parts.topic),
    parts.admin.watermarks(parts.topic),
  ])
  const ends = new Map(watermarks.map(({ partition, high }) => [partition, high]))
  for (const part of ledger) {
    for await (const batch of parts.source.batches(part)) {
      if (signal.aborted) {
        return false
      }
      const end = ends.get(part.partition)
      const nowMs = Date.now()
      const rejections: (Rejection | 'no_partition' | undefined)[] =
        end === undefined ? batch.map(() => 'no_partition') : await parts.rejudge(batch, nowMs)
      const passing = batch.filter((_, index) => rejections[index] === undefined)
      if (transactions !== undefined && end !== undefined && passing.length > 0) {
        ends.set(part.partition, await sendBatch(parts, transactions, { passing, topicId, end, nowMs }))
      }
      batch.forEach((candidate, index) => tally.add(candidate, rejections[index]))
      running.onProgress(tally.sent + tally.stay, running.candidates)
    }
  }
  return true
}

/** Returns an offset that nothing sent later can stand below. */
async function sendBatch(
  { topic, record }: RedriveParts,
  transactions: Transactions,
  { passing, topicId, end, nowMs }: { passing: readonly Candidate[]; topicId: string; end: number; nowMs: number },
): Promise<number> {
  const attempt = randomUUID()
  const rowsOf = (state: RedriveState, toOffset: (index: number) => number) =>
    passing.map((origin, index): RedriveRow => {
      const { topicId: from, partition, offset } = origin
      return {
        state,
        attempt,
        origin: { topicId: from, partition, offset },
        toTopicId: topicId,
        toOffset: toOffset(index),
      }
    })
  await record.add(
    topic,
    rowsOf('planned', () => end),
  )
  const transaction = await transactions.begin()
  let offsets: readonly number[]
  try {
    offsets = await transaction.send(
      passing[0]!.partition,
      // A candidate without a value never passes.
      passing.map(({ key, value, ...origin }) => ({
        ...{ key, value: value!, timestampMs: nowMs, headers: { [originHeader]: originText(origin) } },
      })),
    )
  } catch (thrown) {
    // Else its open transaction would hide later messages from every reader until the broker ends it.
    await transaction.abort().catch(() => undefined)
    throw thrown
  }
  await transaction.commit()
  await record.add(
    topic,
    rowsOf('sent', (index) => offsets[index]!),
  )
  return offsets.at(-1)! + 1
}

function withAccount(thrown: unknown, topic: string, sent: number): unknown {
  if (!(thrown instanceof PipelineError)) {
    return thrown
  }
  const what =
    thrown.code === 'producer_fenced'
      ? `another redrive of ${topic} has begun and this one has ended, or it stood still for a minute`
      : messageOf(thrown)
  return new PipelineError(
    `redrive: ${what}; ${sent} messages were sent before, and the same command goes on where it is safe to`,
    { code: thrown.code, retryable: thrown.retryable, cause: thrown },
  )
}
