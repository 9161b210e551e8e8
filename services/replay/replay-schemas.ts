import { PipelineError } from '../shared/domain/faults.ts'
import type { ClickHouse } from '../shared/io/clickhouse.ts'
import type { SchemaRegistry } from '../shared/io/schema-registry.ts'
import type { ReplayRecord } from './record.ts'

/**
 * A registry whose answers stay what they were when the replay first asked: each schema is recorded before an event is read
 * with it. An id that was unknown to some events of a replay and is known to later ones would make fates a matter of when it
 * was killed, so that stops it.
 */
export function recordSchemas(
  registry: SchemaRegistry,
  deps: { record: ReplayRecord; clickHouse: ClickHouse; database: string; replay: string },
): SchemaRegistry {
  const recorded = new Map<number, string>()

  async function admit(id: number, fingerprint: string): Promise<void> {
    const known = (await deps.record.schemas()).get(id)
    if (known === undefined) {
      const [row] = await deps.clickHouse.rows<{ rows: number }>(
        `SELECT count() AS rows FROM ${deps.database}.rejected_events
         WHERE reason = 'unknown_schema' AND detail = {detail:String}`,
        { detail: `id ${id} is not registered` },
      )
      if (row!.rows > 0) {
        throw changed(`schema ${id} was registered after this replay had rejected ${row!.rows} events for lack of it`)
      }
      await deps.record.addSchema(id, fingerprint)
    } else if (known !== fingerprint) {
      throw changed(`schema ${id} was ${known} when this replay first read with it and is ${fingerprint} now`)
    }
    recorded.set(id, fingerprint)
  }

  const changed = (what: string) =>
    new PipelineError(
      `${what}; \`npx intent-ledger replay drop ${deps.replay}\` and run it anew, so that all of it is read alike`,
      { code: 'plan_unreadable' },
    )

  return {
    async schema(id) {
      const found = await registry.schema(id)
      if (!('fault' in found) && recorded.get(id) !== found.fingerprint) {
        await admit(id, found.fingerprint)
      }
      return found
    },
  }
}
