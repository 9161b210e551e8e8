import { mistake } from '../shared/domain/faults.ts'

/** Replays live in databases of their own by this prefix, which the grants of infra/clickhouse/users.xml cover. */
const databasePrefix = 'intent_ledger_replay_'

/** The name under which the live tables are asked for. */
export const liveName = 'live'

/** Checks a name as it was typed. Throws a mistake. */
export function readReplayName(given: string): string {
  if (!/^[a-z][a-z0-9_]{0,30}$/.test(given) || given === liveName) {
    throw mistake(
      `${given === liveName ? 'live is the name of the live tables' : `"${given}" is no name of a replay`}; take a lower case letter, then at most 30 of a-z, 0-9 and _`,
    )
  }
  return given
}

export const replayDatabase = (name: string) => `${databasePrefix}${name}`

/** The name of the replay that a database would hold, or undefined. */
export function replayOf(database: string): string | undefined {
  return database.startsWith(databasePrefix) ? database.slice(databasePrefix.length) : undefined
}

export const replayGroup = (group: string, name: string) => `${group}-replay-${name}`
