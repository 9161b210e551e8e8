import type { Agreement, AuditedSample, Drawing } from '../domain/audited-sample.ts'
import type { ClickHouse } from './clickhouse.ts'
import { viewsDatabase } from './settings.ts'

/** All audits that are loaded, by taxonomy version, the latest first, as the view `audited_samples` counts them. */
export async function readAuditedSamples(client: ClickHouse, database: string): Promise<AuditedSample[]> {
  const rows = await client.rows<Row>(
    `SELECT audit, drawn, toString(loaded_at) AS loaded, taxonomy_version, events,
       strict_said, strict_called, strict_both, broad_said, broad_called, broad_both
     FROM ${viewsDatabase(database)}.audited_samples ORDER BY audited_samples.loaded_at DESC, audit, taxonomy_version`,
  )
  return rows.map((row) => ({
    ...{ audit: row.audit, drawn: row.drawn, loadedAt: row.loaded, taxonomyVersion: row.taxonomy_version },
    events: row.events,
    strict: agreement(row.strict_said, row.strict_called, row.strict_both),
    broad: agreement(row.broad_said, row.broad_called, row.broad_both),
  }))
}

function agreement(said: number, called: number, both: number): Agreement {
  return { said, called, both }
}

interface Row {
  readonly audit: string
  readonly drawn: Drawing
  readonly loaded: string
  readonly taxonomy_version: number
  readonly events: number
  readonly strict_said: number
  readonly strict_called: number
  readonly strict_both: number
  readonly broad_said: number
  readonly broad_called: number
  readonly broad_both: number
}
