import assert from 'node:assert/strict'
import { test } from 'node:test'

import { assistantIntents } from '../../../../services/shared/domain/assistant-intents.ts'
import { parseSchema } from '../../../../services/shared/domain/avro-schema.ts'
import { createDuplicateMemory } from '../../../../services/shared/domain/duplicate-memory.ts'
import { defaultFateSettings } from '../../../../services/shared/domain/fate.ts'
import { recordOf } from '../../../../services/shared/domain/log-record.ts'
import { loadTaxonomy } from '../../../../services/shared/io/taxonomy-file.ts'
import { createGatherer } from '../../../../services/shared/pipeline/gather.ts'
import {
  batchInserts,
  blockRowsMax,
  emptyRow,
  insertSettings,
  insertSql,
  ledgerInsert,
  type SealedBatch,
} from '../../../../services/shared/pipeline/insert.ts'
import { createReader } from '../../../../services/shared/pipeline/reader.ts'
import { encoders, makeEvent, sentAtMs, writerSchema } from '../../../support/events.ts'

const topicId = '8c2a1f5e-0000-4000-8000-0123456789ab'

function sealed(values: readonly (Buffer | null)[], first = 40): SealedBatch {
  const gathered = createGatherer({
    stream: assistantIntents,
    fates: defaultFateSettings,
    memory: createDuplicateMemory(1_000),
  })
  values.forEach((value, index) => {
    const message = recordOf({ offset: first + index, timestampMs: sentAtMs, key: null, value })
    const id = gathered.add(message)
    if (id > 0) {
      const json = writerSchema(id as 1 | 2)
      gathered.resolve(
        id,
        createReader(
          assistantIntents,
          { id, json, node: parseSchema(json), fingerprint: 'f' },
          loadTaxonomy(1).taxonomy,
        ),
      )
      gathered.add(message)
    }
  })
  const last = first + values.length - 1
  return {
    topic: 'assistant-intents',
    topicId,
    partition: 3,
    first,
    last,
    taxonomyVersion: 1,
    recovered: false,
    gathered,
  }
}

const ledgerOf = (batch: SealedBatch) => {
  const ledger = batchInserts(assistantIntents, batch).at(-1)!
  return JSON.parse(Buffer.concat(ledger.body).toString()) as Record<string, unknown>
}

test('inserts accepted rows of all writer schemas, then duplicates, then the rejected, the ledger last', () => {
  const values = [
    encoders[2].encode(makeEvent(1)),
    encoders[1].encode(makeEvent(2)),
    null,
    encoders[2].encode(makeEvent(1)),
  ]
  const inserts = batchInserts(assistantIntents, sealed(values))
  const token = `${topicId}/3/40-43`
  assert.deepEqual(
    inserts.map((insert) => [insert.table, insert.token, insert.rows, insert.format]),
    [
      ['intent_events', token, 2, 'Native'],
      ['duplicate_events', token, 1, 'Native'],
      ['rejected_events', token, 1, 'Native'],
      ['ingest_batches', token, 1, 'JSONEachRow'],
    ],
  )
  const perTable = new Set(inserts.map((insert) => `${insert.table} ${insert.token}`))
  assert.equal(perTable.size, inserts.length, 'no token is used twice in one table')
})

test('inserts only the ledger row of a range that held no message', () => {
  const inserts = batchInserts(assistantIntents, { ...sealed([]), last: 49 })
  assert.deepEqual(
    inserts.map(({ table }) => table),
    ['ingest_batches'],
  )
})

test('writes one column for every value it selects, and none twice', () => {
  for (const insert of batchInserts(
    assistantIntents,
    sealed([encoders[1].encode(makeEvent(1)), encoders[1].encode(makeEvent(1)), null]),
  )) {
    assert.equal(insert.columns.length, insert.select.length, insert.table)
    assert.equal(new Set(insert.columns).size, insert.columns.length, insert.table)
  }
})

test('counts in the ledger what the batch held, also offsets without a message', () => {
  const values = [
    encoders[2].encode(makeEvent(1)),
    null,
    encoders[2].encode(makeEvent(1)),
    encoders[1].encode(makeEvent(3)),
  ]
  const row = ledgerOf({ ...sealed(values), last: 49 })
  assert.deepEqual(row, {
    stream: 'assistant-intents',
    topic: 'assistant-intents',
    topic_id: topicId,
    partition: 3,
    first_offset: 40,
    last_offset: 49,
    accepted: 2,
    duplicate: 1,
    rejected: 1,
    no_message: 6,
    expired: 0,
    accepted_offset_sum: String(40 + 43),
    duplicate_offset_sum: '42',
    rejected_offset_sum: '41',
    taxonomy_version: 1,
    token: `${topicId}/3/40-49`,
    event_time_low: sentAtMs - 60_000,
    event_time_high: sentAtMs - 60_000,
    record_time_low: sentAtMs,
    record_time_high: sentAtMs,
  })
})

test('leaves times empty where nothing has one', () => {
  const rejectedOnly = ledgerOf(sealed([null]))
  assert.deepEqual([rejectedOnly['event_time_low'], rejectedOnly['record_time_low']], [null, sentAtMs])
  const empty = ledgerOf({ ...sealed([]), last: 40 })
  assert.deepEqual([empty['event_time_high'], empty['record_time_high'], empty['no_message']], [null, null, 1])
})

test('sums offsets exactly beyond 2^53, and modulo 2^64 as ClickHouse does', () => {
  const first = 2 ** 52 - 7
  const batch = sealed([null, null, null, null], first)
  assert.equal(ledgerOf(batch)['rejected_offset_sum'], (4n * BigInt(first) + 6n).toString())
  const tally = { ...batch.gathered.tally, base: 2 ** 52, rejected: 5_000, rejectedOffsets: 12 }
  const many = ledgerOf({ ...batch, gathered: { ...batch.gathered, tally } })
  assert.equal(many['rejected_offset_sum'], ((5_000n * 2n ** 52n + 12n) % 2n ** 64n).toString())
  assert.ok(5_000n * 2n ** 52n > 2n ** 64n)
})

test('inserts under every setting that exactly-once needs (rule 9)', () => {
  const settings = insertSettings('a token')
  assert.ok(blockRowsMax > 500_000, 'above the largest batch that the settings allow')
  for (const [name, value] of Object.entries({
    insert_deduplication_token: 'a token',
    insert_deduplicate: '1',
    max_insert_block_size: String(blockRowsMax),
    min_insert_block_size_rows: String(blockRowsMax),
    min_insert_block_size_bytes: '0',
    max_insert_threads: '1',
    input_format_parallel_parsing: '0',
    wait_end_of_query: '1',
    async_insert: '0',
    deduplicate_blocks_in_dependent_materialized_views: '1',
    deduplicate_insert_select: 'force_enable',
  })) {
    assert.equal(String(settings[name]), value, name)
  }
})

test('puts the lease into the statement, for the server to check', () => {
  const insert = batchInserts(assistantIntents, sealed([null]))[0]!
  const sql = insertSql(insert, { database: 'intent_ledger' })
  assert.match(
    sql,
    /^INSERT INTO intent_ledger\.rejected_events \(reason, detail, key, value, kafka_offset, recorded_at, topic_id, partition, topic\) /,
  )
  assert.match(
    sql,
    /WHERE throwIf\(toUnixTimestamp64Milli\(now64\(3\)\) > \{lease_ends_ms:Int64\}, '[^']+'\) = 0 FORMAT Native$/,
  )
  assert.match(
    insertSql(insert, { database: 'd', table: 'staging', where: 'x = 1' }),
    /^INSERT INTO d\.staging .* = 0 AND x = 1 FORMAT Native$/,
  )
})

test('names every parameter that a statement uses, but the lease', () => {
  for (const insert of batchInserts(
    assistantIntents,
    sealed([encoders[1].encode(makeEvent(1)), encoders[1].encode(makeEvent(1)), null]),
  )) {
    const used = [...insertSql(insert, { database: 'd' }).matchAll(/\{(\w+):/g)].map(([, name]) => name!)
    assert.deepEqual(new Set(used), new Set([...Object.keys(insert.params), 'lease_ends_ms']), insert.table)
  }
})

test('records offsets without a message as such, with nothing expired', () => {
  const row = emptyRow(
    { stream: 'assistant-intents', topic: 'assistant-intents', topicId, partition: 3, first: 10, last: 19 },
    'no_message',
  )
  assert.deepEqual([row.accepted, row.duplicate, row.rejected, row.no_message, row.expired], [0, 0, 0, 10, 0])
})

test('records a range that retention deleted as expired, with nothing accepted', () => {
  const row = emptyRow(
    { stream: 'assistant-intents', topic: 'assistant-intents', topicId, partition: 3, first: 10, last: 19 },
    'expired',
  )
  assert.equal(row.expired, 10)
  assert.equal(row.token, `${topicId}/3/10-19`)
  assert.deepEqual([row.accepted, row.duplicate, row.rejected, row.no_message], [0, 0, 0, 0])
  assert.equal(ledgerInsert(row).rows, 1)
})
