import type { Drawing } from '../shared/domain/audited-sample.ts'
import { mistake } from '../shared/domain/faults.ts'
import type { ClickHouse } from '../shared/io/clickhouse.ts'
import type { DrawnEvent } from './sample-file.ts'

export interface DrawOptions {
  readonly events: number
  readonly drawn: Drawing
  readonly seed: number
  /** First and last day, UTC; null for all there are. */
  readonly from: string | null
  readonly to: string | null
  readonly taxonomyVersion: number
}

export interface Drawn {
  readonly events: readonly DrawnEvent[]
  /** Households with a request in those days. */
  readonly households: number
}

/**
 * Draws events to be audited, one a household. Events stand in the order of a hash of id and seed, and the first of each household
 * is taken: so a household that asks much is drawn as much more often, as long as far fewer are drawn than there are. The same
 * seed draws the same events from the same rows.
 *
 * By label half of them are such that the classifier calls strict (or broad), and the others are of other households. All come in
 * the order of the hash, which tells nobody the half.
 */
export async function drawSample(clickHouse: ClickHouse, database: string, options: DrawOptions): Promise<Drawn> {
  const { events, drawn, seed, from, to, taxonomyVersion } = options
  const half = Math.ceil(events / 2)
  const params = {
    ...{ seed, from: from ?? '1970-01-01', to: to ?? '2149-06-06', taxonomy: taxonomyVersion },
    ...{ limit: drawn === 'random' ? events : half, rest: events - half },
  }
  const sample = drawn === 'random' ? randomSql(database) : byLabelSql(database, calledSql[drawn])
  const rows = await clickHouse.rows<DrawnEvent & { called: 0 | 1 }>(
    `SELECT lower(hex(tupleElement(event, 1))) AS eventId, toString(tupleElement(event, 2)) AS occurredAt,
       tupleElement(event, 3) AS intent, toString(tupleElement(event, 4)) AS outcome, tupleElement(event, 5) AS product,
       tupleElement(event, 6) AS country, tupleElement(event, 7) AS plans, called
     FROM (${sample}) ORDER BY place`,
    params,
  )
  const [known] = await clickHouse.rows<{ households: number }>(
    `SELECT uniq(household) AS households FROM ${database}.intent_events WHERE ${inWindow}`,
    params,
  )
  if (rows.length < events) {
    const called = rows.filter((row) => row.called === 1).length
    throw mistake(
      drawn === 'random'
        ? `${events} events of as many households are wanted, and there are ${rows.length}; draw fewer, or from more days`
        : `${half} events that the classifier calls so are wanted and ${events - half} others, of as many households, and there are ${called} and ${rows.length - called}; draw fewer, or from more days`,
    )
  }
  return { events: rows.map(({ called: _, ...event }) => event), households: known?.households ?? 0 }
}

const calledSql = {
  'by-strict-label': "value_class = 'direct'",
  'by-broad-label': "value_class IN ('direct', 'assisted', 'entitlement')",
} as const

/** Requests of one taxonomy version: an audit of two would be two small ones. */
const inWindow = `toDate(occurred_at) BETWEEN {from:Date} AND {to:Date}
  AND taxonomy_version = {taxonomy:UInt16} AND value_class != 'not_a_request'`

const columns = '(event_id, occurred_at, intent, outcome, product, country, plans)'

function randomSql(database: string): string {
  return `SELECT household, min(cityHash64(event_id, {seed:UInt64})) AS place,
      argMin(${columns}, cityHash64(event_id, {seed:UInt64})) AS event, 0 AS called
    FROM ${database}.intent_events WHERE ${inWindow} GROUP BY household ORDER BY place LIMIT {limit:UInt32}`
}

function byLabelSql(database: string, isCalled: string): string {
  const called = `SELECT household, min(cityHash64(event_id, {seed:UInt64})) AS place,
      argMin(${columns}, cityHash64(event_id, {seed:UInt64})) AS event, 1 AS called
    FROM ${database}.intent_events WHERE ${inWindow} AND ${isCalled} GROUP BY household ORDER BY place LIMIT {limit:UInt32}`
  return `${called} UNION ALL
    SELECT household, min(cityHash64(event_id, {seed:UInt64})) AS place,
      argMin(${columns}, cityHash64(event_id, {seed:UInt64})) AS event, 0 AS called
    FROM ${database}.intent_events WHERE ${inWindow} AND NOT (${isCalled}) AND household NOT IN (SELECT household FROM (${called}))
    GROUP BY household ORDER BY place LIMIT {rest:UInt32}`
}
