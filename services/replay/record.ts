import { z } from 'zod'

import { PipelineError } from '../shared/domain/faults.ts'
import type { ClickHouse } from '../shared/io/clickhouse.ts'
import type { Committed } from '../shared/io/kafka-admin.ts'
import { definitionSchema, type Definition } from './definition.ts'
import { manifestSchema, type Manifest } from './manifest.ts'

/**
 * What a replay's database says of the replay itself: its definition, the writer schemas it met, its manifest, and the plans of one
 * that has no consumer group. Each is written once, under a token, so that of two processes the first one decides. Live databases
 * have no such table: its presence is what makes a database a replay.
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
  /** Says what is to be stored of a partition from `first` on, unless somebody has said it. Returns what stands. */
  plan(partition: number, first: number, plan: string): Promise<string>
  /** The latest plan of each partition, as a consumer group would give it. */
  plans(): Promise<Map<number, Committed>>
  finish(manifest: Manifest): Promise<Manifest>
}

const table = 'replay_record'
const tokensMax = 3

export function openReplayRecord({ clickHouse, database }: { clickHouse: ClickHouse; database: string }): ReplayRecord {
  async function isThere(): Promise<boolean> {
    const [there] = await clickHouse.rows<{ tables: number }>(
      'SELECT count() AS tables FROM system.tables WHERE database = {database:String} AND name = {table:String}',
      { database, table },
    )
    return there!.tables > 0
  }

  /** Of two rows under one key the first that was written counts. */
  async function readOne<T>(kind: string, key: string, schema: z.ZodType<T>): Promise<T | undefined> {
    const [row] = await clickHouse.rows<{ document: string }>(
      `SELECT document FROM ${database}.${table} WHERE kind = {kind:String} AND key = {key:String} ORDER BY written_at LIMIT 1`,
      { kind, key },
    )
    return row === undefined ? undefined : schema.parse(JSON.parse(row.document))
  }

  const readIfThere = async <T>(kind: string, schema: z.ZodType<T>) =>
    (await isThere()) ? readOne(kind, '', schema) : undefined

  async function write(kind: string, key: string, document: unknown, token: string): Promise<void> {
    await clickHouse.insert(
      `INSERT INTO ${database}.${table} (kind, key, document) FORMAT JSONEachRow`,
      [Buffer.from(JSON.stringify({ kind, key, document: JSON.stringify(document) }))],
      { params: {}, settings: { async_insert: 0, insert_deduplicate: 1, insert_deduplication_token: token } },
    )
  }

  /** Returns the document that stands, ours or an earlier one. */
  async function writeOnce<T>(kind: string, key: string, document: T, schema: z.ZodType<T>): Promise<T> {
    // A killed server may know a token whose row it has lost (exactly-once hole 1); everybody then goes on to the same next one.
    for (let attempt = 1; attempt <= tokensMax; attempt++) {
      await write(kind, key, document, [kind, key, ...(attempt === 1 ? [] : [attempt])].join('/'))
      const stands = await readOne(kind, key, schema)
      if (stands !== undefined) {
        return stands
      }
    }
    throw new PipelineError(
      `ClickHouse loses the ${kind} of this replay behind success answers; mend it and run it again`,
      { code: 'clickhouse_unreachable' },
    )
  }

  return {
    definition: () => readIfThere('definition', definitionSchema),
    manifest: () => readIfThere('manifest', manifestSchema),
    async schemas() {
      const rows = await clickHouse.rows<{ key: string; document: string }>(
        `SELECT key, document FROM ${database}.${table} WHERE kind = 'schema' ORDER BY key`,
      )
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
      return writeOnce('definition', '', definition, definitionSchema)
    },
    addSchema: (id, fingerprint) => write('schema', String(id), fingerprint, `schema/${id}`),
    finish: (manifest) => writeOnce('manifest', '', manifest, manifestSchema),
    plan: (partition, first, plan) => writeOnce('plan', `${partition}/${first}`, plan, z.string()),
    async plans() {
      const rows = await clickHouse.rows<{ partition: number; first: number; document: string }>(
        `SELECT toUInt32(splitByChar('/', key)[1]) AS partition, toUInt64(splitByChar('/', key)[2]) AS first, document
         FROM ${database}.${table} WHERE kind = 'plan' ORDER BY partition, first DESC, written_at LIMIT 1 BY partition`,
      )
      return new Map(
        rows.map(({ partition, first, document }) => [
          partition,
          { offset: first, metadata: z.string().parse(JSON.parse(document)) },
        ]),
      )
    },
  }
}
