import { assistantIntents } from '../shared/domain/assistant-intents.ts'
import type { ClickHouse } from '../shared/io/clickhouse.ts'
import { viewsDatabase } from '../shared/io/settings.ts'

/** Whole days, UTC, both included, and how they were chosen. */
export interface Window {
  readonly from: string
  readonly to: string
  readonly days: number
  readonly note: string
}

/** How far ingestion has come, as the view `freshness` says it. */
export interface Freshness {
  readonly oldestDay: string | null
  readonly newestDay: string | null
}

export async function readFreshness(client: ClickHouse, database: string): Promise<Freshness> {
  const [row] = await client.rows<{ oldest: string | null; newest: string | null }>(
    `SELECT toString(toDate(min(oldest_event_time))) AS oldest, toString(toDate(max(newest_event_time))) AS newest
     FROM ${viewsDatabase(database)}.freshness WHERE stream = {stream:String}`,
    { stream: assistantIntents.name },
  )
  return { oldestDay: row?.oldest ?? null, newestDay: row?.newest ?? null }
}

const daysDefault = 28

/**
 * The window of a report. Given days are taken as they are. Without them it is the last 28 days that are over and have data:
 * a day that still runs has fewer requests, and the hours of a day are not alike. Where only the present day has data, it is that.
 */
export function chooseWindow(
  given: { from?: string | undefined; to?: string | undefined },
  freshness: Freshness,
  nowMs: number,
): Window {
  const today = dayOf(nowMs)
  const yesterday = addDays(today, -1)
  const { oldestDay, newestDay } = freshness
  if (newestDay === null || oldestDay === null) {
    const to = given.to ?? (given.from !== undefined && given.from > yesterday ? given.from : yesterday)
    return windowOf(given.from ?? addDays(to, 1 - daysDefault), to, 'nothing was ingested yet')
  }
  const lastWhole = newestDay < yesterday ? newestDay : yesterday
  const onlyToday = oldestDay > yesterday
  const last = onlyToday ? newestDay : lastWhole
  const to = given.to ?? (given.from !== undefined && given.from > last ? given.from : last)
  const earliest = addDays(to, 1 - daysDefault)
  const from = given.from ?? (earliest < oldestDay && oldestDay <= to ? oldestDay : earliest)
  const chosen = given.from !== undefined && given.to !== undefined
  return windowOf(
    from,
    to,
    chosen ? 'as asked for' : onlyToday ? 'the present day, no other has data' : 'the last whole days with data',
  )
}

/** `2026-03-01 to 2026-03-28, 28 days (UTC)`. */
export function describeWindow({ from, to, days, note }: Window): string {
  return `${from} to ${to}, ${days} ${days === 1 ? 'day' : 'days'} (UTC), ${note}`
}

const dayMs = 86_400_000

const dayOf = (timeMs: number) => new Date(timeMs).toISOString().slice(0, 10)
const addDays = (day: string, days: number) => dayOf(Date.parse(day) + days * dayMs)

function windowOf(from: string, to: string, note: string): Window {
  return { from, to, days: Math.round((Date.parse(to) - Date.parse(from)) / dayMs) + 1, note }
}
