/** Putting back rows that were lost behind a success answer: what the servers' failures in the middle of it may not lead to. */
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'

import { assistantIntents } from '../../../services/shared/domain/assistant-intents.ts'
import { PipelineError } from '../../../services/shared/domain/faults.ts'
import type { ClickHouse } from '../../../services/shared/io/clickhouse.ts'
import { createLogger } from '../../../services/shared/io/log.ts'
import { emptyRow, ledgerInsert } from '../../../services/shared/pipeline/insert.ts'
import { createStore } from '../../../services/shared/pipeline/store.ts'
import { restoreMissing } from '../../../services/shared/pipeline/verify.ts'
import { pipelineCase, type PipelineCase } from '../../support/pipeline-case.ts'

const topicId = '6f1c1e1e-3d6c-4a53-9a53-5f4b0a3e8c11'
const range = { topicId, partition: 0, first: 0, last: 9 }

describe('restoring rows that were lost', { concurrency: 4 }, () => {
  test('puts back what is missing, and nothing when it is there', async (t) => {
    const work = await pipelineCase(t)
    await restore(work, work.clickHouse)
    await restore(work, work.clickHouse)
    assert.deepEqual(await ledgerRows(work), [{ rows: '1' }])
  })

  test('a move whose answer is lost makes the process leave the group: it may still be under way', async (t) => {
    const work = await pipelineCase(t)
    const cut = failing(work.clickHouse, (sql, run) =>
      sql.includes('MOVE PARTITION') ? run().then(unreachable) : run(),
    )
    await assert.rejects(restore(work, cut), { code: 'membership_lost' })
    await restore(work, work.clickHouse)
    assert.deepEqual(await ledgerRows(work), [{ rows: '1' }])
  })

  test('so does one after which nothing answers any more', async (t) => {
    const work = await pipelineCase(t)
    const gone = failing(work.clickHouse, (sql, run) =>
      /MOVE PARTITION|DROP TABLE/.test(sql) ? Promise.resolve().then(unreachable) : run(),
    )
    await assert.rejects(restore(work, gone), { code: 'membership_lost' })
  })

  test('a staging table that could not be dropped is no reason to restore again', async (t) => {
    const work = await pipelineCase(t)
    await restore(
      work,
      failing(work.clickHouse, (sql, run) => (sql.includes('DROP TABLE') ? run().then(unreachable) : run())),
    )
    assert.deepEqual(await ledgerRows(work), [{ rows: '1' }])
  })
})

async function restore({ database }: PipelineCase, clickHouse: ClickHouse): Promise<void> {
  const store = createStore({ clickHouse, database, stream: assistantIntents })
  const log = createLogger({ service: 'test', level: 'silent', pretty: false })
  const row = emptyRow({ stream: 'assistant-intents', topic: 'assistant-intents', ...range }, 'expired')
  await restoreMissing(ledgerInsert(row), range, { store, log, leaseEndsMs: () => Date.now() + 60_000 })
}

function failing(
  clickHouse: ClickHouse,
  command: (sql: string, run: () => Promise<void>) => Promise<void>,
): ClickHouse {
  return { ...clickHouse, command: (sql, ...rest) => command(sql, () => clickHouse.command(sql, ...rest)) }
}

function unreachable(): never {
  throw new PipelineError('the answer was lost', { code: 'clickhouse_unreachable', retryable: true })
}

function ledgerRows({ clickHouse, database }: PipelineCase): Promise<unknown[]> {
  return clickHouse.rows(`SELECT toString(count()) AS rows FROM ${database}.ingest_batches`)
}
