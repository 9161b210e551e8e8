/** What ClickHouse's Date can hold. */
const dayLast = '2149-06-06'

/** Whether it is a day as 2026-03-31 that ClickHouse can hold. */
export function isDay(text: string): boolean {
  const ms = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(text) : NaN
  // Some engines roll 30 February over into March.
  return !Number.isNaN(ms) && ms >= 0 && text <= dayLast && new Date(ms).toISOString().startsWith(text)
}
