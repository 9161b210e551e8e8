import type { ValueClass } from '../shared/domain/taxonomy.ts'
import type { AuditedRow, LineFault } from './sample-file.ts'

/** What the tables know of an event. */
export interface StoredEvent {
  readonly household: string
  readonly valueClass: ValueClass
  readonly taxonomyVersion: number
}

export type CheckedRow = AuditedRow & Pick<StoredEvent, 'valueClass' | 'taxonomyVersion'>

/**
 * Rows beside what the classifier said of them. One event of a household counts: events of one household are alike, and counted
 * as independent they make the interval too narrow.
 */
export function checkRows(
  rows: readonly AuditedRow[],
  stored: ReadonlyMap<string, StoredEvent>,
): { checked: CheckedRow[]; faults: LineFault[] } {
  const checked: CheckedRow[] = []
  const faults: LineFault[] = []
  const lineOfEvent = new Map<string, number>()
  const lineOfHousehold = new Map<string, number>()
  for (const row of rows) {
    const event = stored.get(row.eventId)
    const [sameEvent, sameHousehold] = [lineOfEvent.get(row.eventId), event && lineOfHousehold.get(event.household)]
    lineOfEvent.set(row.eventId, sameEvent ?? row.line)
    if (event === undefined) {
      faults.push({ line: row.line, fault: 'unknown event: no accepted event has this id' })
    } else if (sameEvent !== undefined) {
      faults.push({ line: row.line, fault: `the event of line ${sameEvent} again` })
    } else if (sameHousehold !== undefined) {
      const fault = `of the household of line ${sameHousehold}; only one event of a household counts, take one line out`
      faults.push({ line: row.line, fault })
    } else {
      lineOfHousehold.set(event.household, row.line)
      checked.push({ ...row, valueClass: event.valueClass, taxonomyVersion: event.taxonomyVersion })
    }
  }
  return { checked, faults }
}
