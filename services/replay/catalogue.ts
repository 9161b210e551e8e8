import { mistake } from '../shared/domain/faults.ts'
import type { ClickHouse } from '../shared/io/clickhouse.ts'
import type { KafkaAdmin } from '../shared/io/kafka-admin.ts'
import { viewsDatabase } from '../shared/io/settings.ts'
import type { Store } from '../shared/pipeline/store.ts'
import { readProgress } from './completion.ts'
import type { Definition } from './definition.ts'
import type { Manifest } from './manifest.ts'
import { replayDatabase, replayOf } from './names.ts'
import { openReplayRecord } from './record.ts'

/** A replay as `list` shows it; without a manifest it is not finished. */
export interface ListedReplay {
  readonly definition: Definition
  readonly manifest: Manifest | undefined
  readonly done: number
  readonly total: number
}

export async function listReplays(deps: {
  clickHouse: ClickHouse
  storeOf(database: string): Pick<Store, 'ledgerEnds'>
}): Promise<ListedReplay[]> {
  const databases = await deps.clickHouse.rows<{ name: string }>('SELECT name FROM system.databases ORDER BY name')
  const listed: ListedReplay[] = []
  for (const { name } of databases.filter((database) => replayOf(database.name) !== undefined)) {
    const record = openReplayRecord({ clickHouse: deps.clickHouse, database: name })
    const definition = await record.definition()
    if (definition !== undefined) {
      const { done, total } = (await readProgress(deps.storeOf(name), definition)).progress
      listed.push({ definition, manifest: await record.manifest(), done, total })
    }
  }
  return listed
}

/** The definition of a replay. Throws a mistake where there is none: nothing else is ever dropped, verified or compared. */
export async function findReplay(clickHouse: ClickHouse, name: string): Promise<Definition> {
  const definition = await openReplayRecord({ clickHouse, database: replayDatabase(name) }).definition()
  if (definition === undefined) {
    throw mistake(`there is no replay ${name}; \`npx intent-ledger replay list\` shows those there are`)
  }
  return definition
}

/** A finished replay. Throws a mistake for one that is not. */
export async function findManifest(clickHouse: ClickHouse, name: string): Promise<Manifest> {
  const definition = await findReplay(clickHouse, name)
  const manifest = await openReplayRecord({ clickHouse, database: replayDatabase(name) }).manifest()
  if (manifest === undefined) {
    throw mistake(`replay ${definition.replay} is not finished; give its \`replay run\` again and it goes on`)
  }
  return manifest
}

/**
 * Removes a replay: its views, its consumer group, then its tables, which say that it is one, so that a drop which was cut off
 * can be given again. As user steward. Without `admin` it has no group: it was replayed from an archive.
 */
export async function dropReplay(
  definition: Definition,
  { steward, admin }: { steward: ClickHouse; admin: KafkaAdmin | undefined },
): Promise<void> {
  const { replay, group } = definition
  const members = (await admin?.groupMembers(group)) ?? 0
  if (members > 0) {
    throw mistake(`${members} ${members > 1 ? 'processes are' : 'process is'} running replay ${replay}; stop it first`)
  }
  const database = replayDatabase(replay)
  await steward.command(`DROP DATABASE IF EXISTS ${viewsDatabase(database)} SYNC`)
  await admin?.deleteGroup(group)
  await steward.command(`DROP DATABASE IF EXISTS ${database} SYNC`)
}
