import { createHash } from 'node:crypto'
import { access } from 'node:fs/promises'

import { messageOf, mistake } from '../shared/domain/faults.ts'
import type { ClickHouse } from '../shared/io/clickhouse.ts'
import { productVersion } from '../shared/io/product-version.ts'
import { renderJson } from '../shared/io/render.ts'
import { viewsDatabase } from '../shared/io/settings.ts'
import { createWholeFile, writeFileWhole } from '../shared/io/whole-file.ts'
import { exportedViews, exportFormatNames, viewCall, type ExportFormat, type ViewName } from './exported-views.ts'
import type { Window } from './window.ts'

export interface ExportOptions {
  readonly file: string
  readonly view: ViewName
  readonly format: ExportFormat
  /** Undefined for a view without one. */
  readonly window: Window | undefined
  readonly parameters: Readonly<Record<string, string>>
  /** Replace files that are there. */
  readonly force: boolean
  readonly nowMs: number
}

/** What stands beside the file: enough to ask again, and to see whether the answer could be the same. */
export interface ExportSidecar {
  readonly file: string
  readonly view: string
  readonly format: ExportFormat
  /** As it was sent; `parameters` are its values. */
  readonly query: string
  readonly parameters: Readonly<Record<string, string>>
  readonly window: Window | null
  readonly taxonomyVersions: readonly number[]
  readonly rows: number
  readonly bytes: number
  readonly sha256: string
  readonly source: ExportSource
  readonly productVersion: string
  readonly exportedAt: string
}

/** How far each partition of the log was stored before the view was read: all below `nextOffset` is in the numbers. */
export interface ExportSource {
  /** SHA-256 of the JSON of `partitions`: equal for two exports that were made of the same part of the log. */
  readonly digest: string
  readonly partitions: readonly object[]
  /** Whether more was stored meanwhile, so that some of it can be in the numbers, too. */
  readonly grewMeanwhile: boolean
}

export const sidecarOf = (file: string) => `${file}.json`

/** A view's rows to a file, as a user who may read views alone: what is suppressed there never leaves the server. */
export async function exportView(client: ClickHouse, database: string, options: ExportOptions): Promise<ExportSidecar> {
  const { file, view, format, window, parameters } = options
  await assertFree(options)
  const views = viewsDatabase(database)
  const { order, hasTaxonomy } = exportedViews[view]
  const call = viewCall(views, view)
  const query = `SELECT * FROM ${call} ORDER BY ${order} FORMAT ${exportFormatNames[format]}`
  const params = { ...(window === undefined ? {} : { from: window.from, to: window.to }), ...parameters }

  const before = await readSource(client, views)
  const versions = hasTaxonomy
    ? await client.rows<{ version: number }>(
        `SELECT DISTINCT taxonomy_version AS version FROM ${call} ORDER BY version`,
        params,
      )
    : []
  const written = await write(client, file, query, params)
  const after = await readSource(client, views)
  const sidecar: ExportSidecar = {
    ...{ file: file.split('/').at(-1)!, view, format, query, parameters: params, window: window ?? null },
    ...{ taxonomyVersions: versions.map(({ version }) => version), ...written },
    source: { ...before, grewMeanwhile: before.digest !== after.digest },
    ...{ productVersion, exportedAt: new Date(options.nowMs).toISOString() },
  }
  await writeFileWhole(sidecarOf(file), renderJson(sidecar))
  return sidecar
}

async function assertFree({ file, force }: ExportOptions): Promise<void> {
  for (const path of force ? [] : [file, sidecarOf(file)]) {
    const isThere = await access(path).then(
      () => true,
      () => false,
    )
    if (isThere) {
      throw mistake(`export: ${path} is there already; add --force to replace it`)
    }
  }
}

async function write(client: ClickHouse, path: string, query: string, params: Record<string, string>) {
  const file = await createWholeFile(path).catch((thrown: unknown) => {
    throw mistake(`export: ${path} can't be written: ${messageOf(thrown)}`, 'file_invalid')
  })
  try {
    const hash = createHash('sha256')
    let bytes = 0
    const { stream, rows } = await client.stream(query, params)
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      hash.update(chunk)
      bytes += chunk.length
      await file.write(chunk)
    }
    await file.finish()
    return { rows, bytes, sha256: hash.digest('hex') }
  } finally {
    await file.abandon()
  }
}

async function readSource(client: ClickHouse, views: string): Promise<Omit<ExportSource, 'grewMeanwhile'>> {
  const partitions = await client.rows<object>(
    `SELECT topic, toString(topic_id) AS topicId, partition, next_offset AS nextOffset, expired_offsets AS expiredOffsets
     FROM ${views}.freshness ORDER BY topic, topicId, partition`,
  )
  return { digest: createHash('sha256').update(JSON.stringify(partitions)).digest('hex'), partitions }
}
