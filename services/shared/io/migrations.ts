import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createHash } from 'node:crypto'

import { mistake } from '../domain/faults.ts'
import type { ClickHouse } from './clickhouse.ts'
import { viewsDatabase } from './settings.ts'

export const migrationsFolder = join(import.meta.dirname, '../../../infra/clickhouse/migrations')

export interface MigrationOptions {
  readonly database: string
  readonly dedupWindowBlocks: number
  /** With a cluster: ON CLUSTER and replicated engines. */
  readonly cluster?: string | undefined
}

export interface Migration {
  readonly id: string
  readonly sql: string
  readonly checksum: string
}

/**
 * Applies the numbered migrations that a database does not have yet, in order. Every statement is safe to run again, so a
 * run that was cut off, or two at once, end the same. Returns the ids applied now.
 */
export async function migrate(clickHouse: ClickHouse, options: MigrationOptions): Promise<string[]> {
  const onCluster = options.cluster === undefined ? '' : `ON CLUSTER ${options.cluster}`
  const table = `${options.database}.schema_migrations`
  await clickHouse.command(`CREATE DATABASE IF NOT EXISTS ${options.database} ${onCluster}`)
  await clickHouse.command(
    `CREATE TABLE IF NOT EXISTS ${table} ${onCluster} (id String, checksum String, applied_at DateTime64(3, 'UTC') DEFAULT now64(3))
     ENGINE = ${options.cluster === undefined ? '' : 'Replicated'}ReplacingMergeTree ORDER BY id`,
  )
  const rows = await clickHouse.rows<{ id: string; checksum: string }>(
    `SELECT id, any(checksum) AS checksum FROM ${table} GROUP BY id`,
  )
  const applied = new Map(rows.map((row) => [row.id, row.checksum]))
  const done: string[] = []
  for (const migration of readMigrations()) {
    const known = applied.get(migration.id)
    if (known !== undefined && known !== migration.checksum) {
      throw mistake(
        `migration ${migration.id} was edited after it was applied to ${options.database}: put it back and add a new one`,
        'file_invalid',
      )
    }
    if (known === undefined) {
      for (const statement of statements(fill(migration.sql, options))) {
        await clickHouse.command(statement)
      }
      await clickHouse.command(`INSERT INTO ${table} (id, checksum) VALUES ({id:String}, {checksum:String})`, {
        id: migration.id,
        checksum: migration.checksum,
      })
      done.push(migration.id)
    }
  }
  return done
}

export function readMigrations(folder = migrationsFolder): Migration[] {
  return readdirSync(folder)
    .filter((name) => /^\d{4}_[a-z0-9_]+\.sql$/.test(name))
    .sort()
    .map((name) => {
      const sql = readFileSync(join(folder, name), 'utf8')
      return { id: name.slice(0, -4), sql, checksum: createHash('sha256').update(sql).digest('hex') }
    })
}

function fill(sql: string, options: MigrationOptions): string {
  const values: Record<string, string> = {
    database: options.database,
    views: viewsDatabase(options.database),
    on_cluster: options.cluster === undefined ? '' : `ON CLUSTER ${options.cluster}`,
    replicated: options.cluster === undefined ? '' : 'Replicated',
    dedup_window: String(options.dedupWindowBlocks),
  }
  return sql.replace(/\{\{([a-z_]+)\}\}/g, (_, name: string) => {
    const value = values[name]
    if (value === undefined) {
      throw mistake(`a migration names {{${name}}}, which is no setting`, 'file_invalid')
    }
    return value
  })
}

/** Statements end with a semicolon at the end of a line. */
function statements(sql: string): string[] {
  return sql
    .split(/;\s*$/m)
    .map((statement) => statement.replace(/^\s*--.*$/gm, '').trim())
    .filter((statement) => statement !== '')
}
