import { mistake } from '../shared/domain/faults.ts'
import type { ClickHouse } from '../shared/io/clickhouse.ts'
import type { ShareDimension } from '../shared/io/flag-kinds.ts'
import { findManifest } from './catalogue.ts'
import { diffCells, type DiffCell } from './diff.ts'
import type { Manifest } from './manifest.ts'
import { liveName, readReplayName, replayDatabase } from './names.ts'
import { rangesText } from './print.ts'
import { countAccepted, readCells } from './read-cells.ts'
import { assertLiveHasRead, type VerifyDeps } from './verify.ts'

export interface Diff {
  readonly before: string
  readonly after: string
  readonly by: readonly ShareDimension[]
  /** What was compared, in words. */
  readonly range: string
  /** Accepted events of each side: where they differ, fates do, and not the definition of value alone. */
  readonly accepted: { readonly before: number; readonly after: number }
  readonly cells: readonly DiffCell[]
}

/** The shares of one range of the log in two databases; each name is a finished replay or `live`. */
export async function diffReplays(
  names: { before: string; after: string; by: readonly ShareDimension[] },
  deps: { clickHouse: ClickHouse; liveDatabase: string; depsOf(database: string): VerifyDeps },
): Promise<Diff> {
  const { clickHouse, liveDatabase } = deps
  if (names.before === names.after) {
    throw mistake(`${names.before} is compared with itself; give two names, of replays or live`)
  }
  const sides = [names.before, names.after].map((name) => (name === liveName ? name : readReplayName(name)))
  const manifests: Manifest[] = []
  for (const name of sides.filter((side) => side !== liveName)) {
    manifests.push(await findManifest(clickHouse, name))
  }
  const [range, other = range] = manifests as [Manifest, Manifest?]
  if (rangeKey(range) !== rangeKey(other)) {
    throw mistake(
      `${range.replay} and ${other.replay} are of different parts of the log (${rangesText(range)}; ${rangesText(other)}), so their shares can't be compared`,
    )
  }
  if (sides.includes(liveName)) {
    await assertLiveHasRead(range, deps.depsOf(liveDatabase))
  }
  const databases = sides.map((side) => (side === liveName ? liveDatabase : replayDatabase(side)))
  const [before, after] = [
    await readCells({ clickHouse, database: databases[0]! }, range, names.by),
    await readCells({ clickHouse, database: databases[1]! }, range, names.by),
  ]
  return {
    ...names,
    range: rangesText(range),
    accepted: {
      before: await countAccepted({ clickHouse, database: databases[0]! }, range),
      after: await countAccepted({ clickHouse, database: databases[1]! }, range),
    },
    cells: diffCells(before, after),
  }
}

const rangeKey = ({ topicId, ranges }: Manifest) => JSON.stringify([topicId, ranges])
