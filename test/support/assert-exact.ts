import assert from 'node:assert/strict'

import type { ClickHouse } from '../../services/shared/io/clickhouse.ts'
import { judgeLog, purchaseOf, type Judged, type TruthOptions } from './log-truth.ts'
import { assertSameLines } from './same-lines.ts'
import type { LoggedMessage, TopicLog } from './topic-log.ts'
import { waitFor } from './wait-for.ts'

export interface ExactOptions extends TruthOptions {
  readonly clickHouse: ClickHouse
  readonly database: string
  /** Offsets that retention deleted before they were read, by partition: first and last. */
  readonly expired?: Readonly<Record<number, readonly [number, number]>>
}

type Accepted = Extract<Judged, { fate: 'accepted' }>

/**
 * Asserts that a database holds exactly what the logs say: raw, duplicate and rejected rows one by one, each roll-up number by
 * number, and a ledger that is contiguous and right in every column. Returns the truth, for what a test asserts beside it.
 */
export async function assertExact(logs: readonly TopicLog[], options: ExactOptions): Promise<Judged[]> {
  const truth = logs.map((log) => ({ log, judged: judgeLog(withoutExpired(log, options), options) }))
  for (const { log, judged } of truth) {
    await assertRows(log, judged, options)
    await assertLedger(log, judged, options)
  }
  const all = truth.flatMap(({ judged }) => judged)
  await assertRollUps(
    all.filter((one) => one.fate === 'accepted'),
    options,
  )
  const count = (fate: Judged['fate']) => all.filter((one) => one.fate === fate).length
  assert.deepEqual(
    await tableCounts(options),
    { intent_events: count('accepted'), duplicate_events: count('duplicate'), rejected_events: count('rejected') },
    'rows in all, also those of no log',
  )
  return all
}

/** Waits until the ledger has reached the last message of each partition. `check` is asked too: it throws when waiting is vain. */
export async function waitUntilDrained(
  logs: readonly TopicLog[],
  options: Pick<ExactOptions, 'clickHouse' | 'database'> & { timeoutMs?: number; check?: () => void },
): Promise<void> {
  const vain: { fault?: unknown } = {}
  await waitFor(
    'the classifiers to reach the end of the log',
    async () => {
      try {
        options.check?.()
      } catch (thrown) {
        vain.fault = thrown
        return true
      }
      const rows = await options.clickHouse.rows<{ topic_id: string; partition: number; last: number }>(
        `SELECT topic_id, partition, max(last_offset) AS last FROM ${options.database}.ingest_batches GROUP BY ALL`,
      )
      return logs.every(({ topicId, partitions }) =>
        partitions.every((messages, partition) => {
          const row = rows.find((found) => found.topic_id === topicId && found.partition === partition)
          return messages.length === 0 || (row?.last ?? -1) >= messages.at(-1)!.offset
        }),
      )
    },
    { timeoutMs: options.timeoutMs ?? 60_000 },
  )
  if (vain.fault !== undefined) {
    throw vain.fault as Error
  }
}

/** The log as it was left to read: a copy of an event that retention deleted first is no duplicate. */
function withoutExpired(log: TopicLog, { expired }: ExactOptions): TopicLog {
  const partitions = log.partitions.map((messages, partition) => {
    const [first, last] = expired?.[partition] ?? [-1, -1]
    return messages.filter(({ offset }) => offset < first || offset > last)
  })
  return { ...log, partitions }
}

async function tableCounts({ clickHouse, database }: ExactOptions): Promise<Record<string, number>> {
  const tables = ['intent_events', 'duplicate_events', 'rejected_events']
  const [row] = await clickHouse.rows<Record<string, number>>(
    `SELECT ${tables.map((table) => `(SELECT count() FROM ${database}.${table}) AS ${table}`).join(', ')}`,
  )
  return row!
}

async function assertRows(log: TopicLog, judged: readonly Judged[], options: ExactOptions): Promise<void> {
  const { clickHouse, database } = options
  const select = (columns: readonly string[], table: string) =>
    clickHouse
      .rows<Record<string, string | number>>(
        `SELECT partition, kafka_offset, toUnixTimestamp64Milli(recorded_at) AS recorded, ${columns.join(', ')}
         FROM ${database}.${table} WHERE topic_id = {topic_id:UUID} ORDER BY partition, kafka_offset`,
        { topic_id: log.topicId },
      )
      .then((rows) => rows.map((row) => Object.values(row).join('|')))
  const line = ({ partition, message }: Judged, ...rest: (string | number)[]) =>
    [partition, message.offset, storedTime(message), ...rest].join('|')

  assertSameLines(
    'intent_events',
    await select(
      [
        ...['hex(event_id)', 'toUnixTimestamp64Milli(occurred_at)', 'household', 'device', 'product', 'device_model'],
        ...[
          'toRelativeDayNum(activated_on)',
          'country',
          'locale',
          'plans',
          'intent',
          'toString(outcome)',
          'latency_ms',
        ],
        ...['order_id', 'amount_micros', 'currency', 'app_version', 'skill_id'],
        ...['toString(value_class)', 'rule_id', 'taxonomy_version'],
      ].map((column) =>
        column === 'household' || column === 'device' ? `hex(reinterpretAsString(${column}))` : column,
      ),
      'intent_events',
    ),
    judged
      .filter((one) => one.fate === 'accepted')
      .map((one) => {
        const { event } = one
        const purchase = purchaseOf(event)
        return line(
          one,
          ...[hex(event.eventId), event.occurredAt, hexOfNumber(event.household), hexOfNumber(event.device)],
          ...[event.product, event.deviceModel, event.activatedOn, event.country, event.locale, event.plans.join(',')],
          ...[event.intent, event.outcome, event.latencyMs],
          ...[purchase?.orderId ?? '', purchase?.amountMicros ?? 0, purchase?.currency ?? ''],
          ...[event.appVersion, event.skillId?.string ?? ''],
          ...[one.verdict.valueClass, one.verdict.ruleId, one.taxonomyVersion],
        )
      }),
  )
  assertSameLines(
    'duplicate_events',
    await select(['hex(event_id)'], 'duplicate_events'),
    judged.filter((one) => one.fate === 'duplicate').map((one) => line(one, hex(one.event.eventId))),
  )
  assertSameLines(
    'rejected_events',
    await select(['topic', 'reason', "ifNull(hex(key), 'none')", "ifNull(hex(value), 'none')"], 'rejected_events'),
    judged
      .filter((one) => one.fate === 'rejected')
      .map((one) => {
        const { key, value } = one.message
        return line(one, log.topic, one.reason, key === null ? 'none' : hex(key), value === null ? 'none' : hex(value))
      }),
  )
}

interface LedgerLine {
  readonly partition: number
  readonly first: number
  readonly last: number
  readonly token: string
  readonly taxonomy_version: number
  readonly numbers: readonly (string | null)[]
}

async function assertLedger(log: TopicLog, judged: readonly Judged[], options: ExactOptions): Promise<void> {
  const rows = await options.clickHouse.rows<LedgerLine>(
    `SELECT partition, first_offset AS first, last_offset AS last, token, taxonomy_version,
       arrayMap(x -> toString(x), [accepted, duplicate, rejected, erased, no_message, expired,
         accepted_offset_sum, duplicate_offset_sum, rejected_offset_sum]) AS counts,
       arrayMap(x -> toString(toUnixTimestamp64Milli(x)), [event_time_low, event_time_high, record_time_low, record_time_high]) AS times,
       arrayConcat(counts, times) AS numbers
     FROM ${options.database}.ingest_batches WHERE topic_id = {topic_id:UUID} ORDER BY partition, first_offset`,
    { topic_id: log.topicId },
  )
  for (const [partition, messages] of log.partitions.entries()) {
    const inPartition = judged.filter((one) => one.partition === partition)
    let end = 0
    for (const row of rows.filter((found) => found.partition === partition)) {
      assert.equal(row.first, end, `the ledger of partition ${partition} has a gap or an overlap at ${end}`)
      assert.equal(row.token, `${log.topicId}/${partition}/${row.first}-${row.last}`)
      end = row.last + 1
      const within = inPartition.filter(({ message }) => message.offset >= row.first && message.offset < end)
      const [from, to] = options.expired?.[partition] ?? [-1, -1]
      const expired = row.first >= from && row.last <= to ? row.last - row.first + 1 : 0
      assert.deepEqual(
        row.numbers,
        ledgerNumbers(within, { offsets: row.last - row.first + 1, expired }),
        `the ledger's numbers of partition ${partition}, offsets ${row.first} to ${row.last}`,
      )
      for (const one of within) {
        if (one.fate === 'accepted') {
          assert.equal(row.taxonomy_version, one.taxonomyVersion)
        }
      }
    }
    const lastMessage = messages.at(-1)?.offset ?? -1
    assert.ok(
      end > lastMessage,
      `the ledger of partition ${partition} ends at ${end}, its last message is ${lastMessage}`,
    )
  }
}

function ledgerNumbers(within: readonly Judged[], range: { offsets: number; expired: number }): (string | null)[] {
  const of = (fate: Judged['fate']) => within.filter((one) => one.fate === fate)
  const sum = (fate: Judged['fate']) =>
    of(fate)
      .reduce((total, { message }) => total + BigInt(message.offset), 0n)
      .toString()
  const accepted = of('accepted') as Accepted[]
  const ends = (times: readonly number[]) =>
    times.length === 0 ? [null, null] : [String(Math.min(...times)), String(Math.max(...times))]
  const counts = [accepted.length, of('duplicate').length, of('rejected').length, 0]
  return [
    ...[...counts, range.offsets - within.length - range.expired, range.expired].map(String),
    ...[sum('accepted'), sum('duplicate'), sum('rejected')],
    ...ends(accepted.map(({ event }) => event.occurredAt)),
    ...ends(within.map(({ message }) => storedTime(message))),
  ]
}

async function assertRollUps(accepted: readonly Accepted[], { clickHouse, database }: ExactOptions): Promise<void> {
  const select = async (keys: readonly string[], numbers: readonly string[], table: string) =>
    (
      await clickHouse.rows<Record<string, string | number>>(
        `SELECT ${[...keys, ...numbers].join(', ')} FROM ${database}.${table} GROUP BY ${keys.join(', ')}`,
      )
    )
      .map((row) => Object.values(row).join('|'))
      .sort()
  const households = 'uniqCombined64Merge(households)'
  const cohort = ['day', 'product', 'cohort_month', 'country', 'plans', 'toString(value_class)', 'taxonomy_version']
  const cohortKey = ({ event, verdict, taxonomyVersion }: Accepted) => [
    ...[dayOf(event.occurredAt), event.product, `${dayOf(event.activatedOn * 86_400_000).slice(0, 7)}-01`],
    ...[event.country, event.plans.join(','), verdict.valueClass, taxonomyVersion],
  ]
  const bought = accepted.filter(({ event }) => event.purchase !== null)

  assertSameLines(
    'usage_by_cohort_daily',
    await select(cohort, ['sum(requests)', 'sum(purchases)'], 'usage_by_cohort_daily'),
    grouped(accepted, cohortKey, (group) => [
      ...[group.length, group.filter(({ event }) => event.purchase !== null).length],
    ]),
  )
  assertSameLines(
    'usage_by_product_daily',
    await select(
      ['day', 'product', 'toString(value_class)', 'taxonomy_version'],
      ['sum(requests)'],
      'usage_by_product_daily',
    ),
    grouped(
      accepted,
      (one) => cohortKey(one).toSpliced(2, 3),
      (group) => [group.length],
    ),
  )
  assertSameLines(
    'households_by_cohort_daily',
    // As above, but for the class.
    await select(cohort.toSpliced(5, 1), ['sum(requests)', households], 'households_by_cohort_daily'),
    grouped(
      accepted.filter(({ verdict }) => verdict.valueClass !== 'not_a_request'),
      (one) => cohortKey(one).toSpliced(5, 1),
      (group) => [group.length, householdsOf(group)],
    ),
  )
  assertSameLines(
    'usage_by_intent_daily',
    await select(
      ['day', 'product', 'country', 'intent', 'toString(value_class)', 'taxonomy_version'],
      ['sum(requests)', households],
      'usage_by_intent_daily',
    ),
    grouped(
      accepted,
      ({ event, verdict, taxonomyVersion }) => [
        ...[dayOf(event.occurredAt), event.product, event.country, event.intent, verdict.valueClass, taxonomyVersion],
      ],
      (group) => [group.length, householdsOf(group)],
    ),
  )
  assertSameLines(
    'purchases_daily',
    await select([...cohort, 'currency'], ['sum(purchases)', 'sum(amount_micros)', households], 'purchases_daily'),
    grouped(
      bought,
      (one) => [...cohortKey(one), purchaseOf(one.event)!.currency],
      (group) => [
        group.length,
        group.reduce((sum, { event }) => sum + purchaseOf(event)!.amountMicros, 0),
        householdsOf(group),
      ],
    ),
  )
}

function grouped(
  accepted: readonly Accepted[],
  keyOf: (one: Accepted) => (string | number)[],
  numbersOf: (group: readonly Accepted[]) => number[],
): string[] {
  return Object.entries(Object.groupBy(accepted, (one) => keyOf(one).join('|')))
    .map(([key, group]) => [key, ...numbersOf(group!)].join('|'))
    .sort()
}

const householdsOf = (group: readonly Accepted[]) => new Set(group.map(({ event }) => hex(event.household))).size
/** A time of sending that no table can hold is stored as 1970. */
const storedTime = ({ timestampMs }: LoggedMessage) =>
  timestampMs >= 0 && timestampMs <= 10_000_000_000_000 ? timestampMs : 0
const dayOf = (timeMs: number) => new Date(timeMs).toISOString().slice(0, 10)
const hex = (bytes: Buffer) => bytes.toString('hex').toUpperCase()
/** ClickHouse leaves out the zero bytes at the end when it makes a text of a number. */
const hexOfNumber = (bytes: Buffer) => hex(bytes).replace(/(00)+$/, '')
