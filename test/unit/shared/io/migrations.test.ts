import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { readMigrations } from '../../../../services/shared/io/migrations.ts'

const shipped = readMigrations()
/** Each statement of a migration without its comments. */
const statementsOf = (sql: string) =>
  sql
    .replace(/^\s*--.*$/gm, '')
    .split(/;\s*$/m)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '')

test('reads the numbered files in their order, each with the checksum of its text, and nothing else', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'intent-ledger-migrations-'))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const name of [
    '0010_later.sql',
    '0002_second.sql',
    '0001_first.sql',
    'README.md',
    '3_short.sql',
    '0004-dash.sql',
  ]) {
    writeFileSync(join(folder, name), name)
  }
  const found = readMigrations(folder)
  assert.deepEqual(
    found.map(({ id }) => id),
    ['0001_first', '0002_second', '0010_later'],
  )
  assert.equal(found[0]!.checksum, createHash('sha256').update('0001_first.sql').digest('hex'))
})

test('numbers the shipped migrations 1, 2, 3, ... without a gap or a number used twice', () => {
  assert.ok(shipped.length > 0)
  assert.deepEqual(
    shipped.map(({ id }) => Number(id.slice(0, 4))),
    shipped.map((_, index) => index + 1),
  )
})

for (const { id, sql } of shipped) {
  test(`${id} is safe to run again: every statement creates only what is absent`, () => {
    const statements = statementsOf(sql)
    assert.ok(statements.length > 0)
    for (const statement of statements) {
      assert.match(
        statement,
        /^(CREATE (DATABASE|TABLE|MATERIALIZED VIEW|VIEW|FUNCTION) IF NOT EXISTS|CREATE OR REPLACE|GRANT|REVOKE|ALTER TABLE [^;]* IF (NOT )?EXISTS)/,
      )
    }
  })

  test(`${id} gives every table that an insert reaches a window of deduplication tokens`, () => {
    for (const statement of statementsOf(sql).filter((text) => text.startsWith('CREATE TABLE'))) {
      assert.match(statement, /non_replicated_deduplication_window = \{\{dedup_window\}\}/)
      assert.match(statement, /[^_]replicated_deduplication_window = \{\{dedup_window\}\}/)
      assert.match(statement, /ENGINE = \{\{replicated\}\}\w*MergeTree/)
    }
  })

  test(`${id} names only settings that migrate fills in`, () => {
    const known = ['database', 'views', 'on_cluster', 'replicated', 'dedup_window']
    for (const [, name = ''] of sql.matchAll(/\{\{([a-z_]+)\}\}/g)) {
      assert.ok(known.includes(name), name)
    }
  })
}
