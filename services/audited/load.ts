import { agreementOf, type AuditedSample, type Drawing } from '../shared/domain/audited-sample.ts'
import { mistake } from '../shared/domain/faults.ts'
import { MIN_HOUSEHOLDS } from '../shared/domain/suppression.ts'
import type { ClickHouse } from '../shared/io/clickhouse.ts'
import { insertSettings } from '../shared/pipeline/insert.ts'
import { checkRows, type CheckedRow, type StoredEvent } from './check-rows.ts'
import { readSampleFile, type LineFault } from './sample-file.ts'

export interface AuditFile {
  /** As messages name it. */
  readonly file: string
  readonly text: string
  readonly audit: string
  readonly drawn: Drawing
}

export interface Loading {
  /** All that is wrong, by line; with any, nothing was loaded. */
  readonly faults: readonly LineFault[]
  readonly events: number
  /** Events that the classifier calls no request: kept, and in no share. */
  readonly notRequests: number
  readonly samples: readonly AuditedSample[]
}

/** More are no sample but a census. */
export const auditedEventsMax = 100_000
/** Ids that one question holds: they travel in its address. */
const idsAtOnce = 5_000

/**
 * Loads an audit, the whole file or nothing. One insert of one block under one token, so it is there whole or not at all; loaded
 * again under its name it replaces what was there.
 */
export async function loadAudit(
  { file, text, audit, drawn }: AuditFile,
  deps: {
    clickHouse: ClickHouse
    database: string
    dryRun: boolean
    nowMs: number
    onProgress?: (done: number, total: number) => void
  },
): Promise<Loading> {
  const { rows, faults } = readSampleFile(text, file)
  if (rows.length + faults.length > auditedEventsMax) {
    throw mistake(`${file} has ${rows.length + faults.length} events; an audit may have ${auditedEventsMax}`)
  }
  const stored = await readStored(
    rows.map(({ eventId }) => eventId),
    deps,
  )
  const checked = checkRows(rows, stored)
  const all = [...faults, ...checked.faults].sort((left, right) => left.line - right.line)
  const requests = checked.checked.filter(({ valueClass }) => valueClass !== 'not_a_request')
  if (all.length === 0 && requests.length < MIN_HOUSEHOLDS) {
    throw mistake(
      `${file} has ${requests.length} requests; an audit of fewer than ${MIN_HOUSEHOLDS} households is not shown`,
    )
  }
  const loadedAt = new Date(deps.nowMs).toISOString().replace('T', ' ').slice(0, 23)
  if (all.length === 0 && !deps.dryRun) {
    await insert(checked.checked, { audit, drawn, loadedAt }, deps)
  }
  return {
    faults: all,
    events: checked.checked.length,
    notRequests: checked.checked.length - requests.length,
    samples: [...Map.groupBy(requests, ({ taxonomyVersion }) => taxonomyVersion)].map(([taxonomyVersion, own]) => ({
      ...{ audit, drawn, loadedAt, taxonomyVersion, events: own.length },
      ...{ strict: agreementOf(own, 'strict'), broad: agreementOf(own, 'broad') },
    })),
  }
}

async function readStored(
  ids: readonly string[],
  { clickHouse, database, onProgress }: Parameters<typeof loadAudit>[1],
): Promise<Map<string, StoredEvent>> {
  const stored = new Map<string, StoredEvent>()
  for (let at = 0; at < ids.length; at += idsAtOnce) {
    onProgress?.(at, ids.length)
    // A copy from beyond the duplicate window is a second row: the latest taxonomy's counts.
    const found = await clickHouse.rows<StoredEvent & { id: string }>(
      `SELECT lower(hex(event_id)) AS id, toString(household) AS household, toString(value_class) AS valueClass,
         taxonomy_version AS taxonomyVersion
       FROM ${database}.intent_events
       WHERE event_id IN (SELECT toFixedString(unhex(arrayJoin({ids:Array(String)})), 16))
       ORDER BY taxonomy_version DESC LIMIT 1 BY event_id`,
      { ids: ids.slice(at, at + idsAtOnce) },
    )
    found.forEach(({ id, ...event }) => stored.set(id, event))
  }
  onProgress?.(ids.length, ids.length)
  return stored
}

async function insert(
  rows: readonly CheckedRow[],
  { audit, drawn, loadedAt }: Pick<AuditedSample, 'audit' | 'drawn' | 'loadedAt'>,
  { clickHouse, database }: Parameters<typeof loadAudit>[1],
): Promise<void> {
  const lines = rows.map((row) =>
    JSON.stringify({
      ...{ audit, drawn, loadedAt, id: row.eventId, trueClass: row.trueClass, valueClass: row.valueClass },
      ...{ taxonomyVersion: row.taxonomyVersion, auditedBy: row.auditedBy, auditedOn: row.auditedOn },
    }),
  )
  await clickHouse.insert(
    `INSERT INTO ${database}.audited_events
       (audit, drawn, loaded_at, event_id, true_class, value_class, taxonomy_version, audited_by, audited_on)
     SELECT audit, drawn, loadedAt, unhex(id), trueClass, valueClass, taxonomyVersion, auditedBy, auditedOn
     FROM input('audit String, drawn String, loadedAt DateTime64(3, ''UTC''), id String, trueClass String, valueClass String,
       taxonomyVersion UInt16, auditedBy String, auditedOn Nullable(Date)')
     FORMAT JSONEachRow`,
    [Buffer.from(lines.join('\n'))],
    { params: {}, settings: insertSettings(`audited ${audit} ${loadedAt}`) },
  )
}
