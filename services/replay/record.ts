import { z } from 'zod'

import { PipelineError } from '../shared/domain/faults.ts'
import type { ClickHouse } from '../shared/io/clickhouse.ts'
import { definitionSchema, type Definition } from './definition.ts'
import { manifestSchema, type Manifest } from './manifest.ts'

/**
 * What a replay's database says of the replay itself: its definition, the writer schemas it met, its manifest. Each is written
 * once, under a token, so that of two processes the first one decides. Live databases have no such table: its presence is what
 * makes a database a replay.
 */
export interface ReplayRecord {
  /** Undefined where the database or the table is not there. */
  definition(): Promise<Definition | undefined>
  manifest(): Promise<Manifest | undefined>
  /** Fingerprints of writer schemas by id. */
  schemas(): Promise<ReadonlyMap<number, string>>
  /** Makes the table, writes the definition if there is none, and returns the one that stands. */
  begin(definition: Definition, cluster: string | undefined): Promise<Definition>
  addSchema(id: number, fingerprint: string): Promise<void>
  finish(manifest: Manifest): Promise<Manifest>
}

const table = 'replay_record'

export function openReplayRecord({ clickHouse, database }: { clickHouse: ClickHouse; database: string }): ReplayRecord {
  async function read(kind: string): Promise<{ key: string; document: string }[]> {
    const [there] = await clickHouse.rows<{ tables: number }>(
      'SELECT count() AS tables FROM system.tables WHERE database = {database:String} AND name = {table:String}',
      { database, table },
    )
    return there?.tables === 0
      ? []
      : clickHouse.rows(`SELECT key, document FROM ${database}.${table} WHERE kind = {kind:String} ORDER BY key`, {
          kind,
        })
  }

  async function readOne<T>(kind: string, schema: z.ZodType<T>): Promise<T | undefined> {
    const [row] = await read(kind)
    return row === undefined ? undefined : schema.parse(JSON.parse(row.document))
  }

  async function write(kind: string, key: string, document: unknown): Promise<void> {
    await clickHouse.insert(
      `INSERT INTO ${database}.${table} (kind, key, document) FORMAT JSONEachRow`,
      [Buffer.from(JSON.stringify({ kind, key, document: JSON.stringify(document) }))],
      {
        params: {},
        settings: { async_insert: 0, insert_deduplicate: 1, insert_deduplication_token: `${kind}/${key}` },
      },
    )
  }

  async function writeOnce<T>(kind: string, document: T, schema: z.ZodType<T>): Promise<T> {
    await write(kind, '', document)
    const stands = await readOne(kind, schema)
    if (stands === undefined) {
      throw new PipelineError(`ClickHouse has lost the ${kind} of this replay behind a success answer; run it again`, {
        code: 'clickhouse_unreachable',
        retryable: true,
      })
    }
    return stands
  }

  return {
    definition: () => readOne('definition', definitionSchema),
    manifest: () => readOne('manifest', manifestSchema),
    async schemas() {
      const rows = await read('schema')
      return new Map(rows.map(({ key, document }) => [Number(key), z.string().parse(JSON.parse(document))]))
    },
    async begin(definition, cluster) {
      const onCluster = cluster === undefined ? '' : `ON CLUSTER ${cluster}`
      await clickHouse.command(
        `CREATE TABLE IF NOT EXISTS ${database}.${table} ${onCluster}
         (kind LowCardinality(String), key String, document String, written_at DateTime64(3, 'UTC') DEFAULT now64(3))
         ENGINE = ${cluster === undefined ? '' : 'Replicated'}MergeTree ORDER BY (kind, key)
         SETTINGS non_replicated_deduplication_window = 1000, replicated_deduplication_window = 1000`,
      )
      return writeOnce('definition', definition, definitionSchema)
    },
    addSchema: (id, fingerprint) => write('schema', String(id), fingerprint),
    finish: (manifest) => writeOnce('manifest', manifest, manifestSchema),
  }
}
