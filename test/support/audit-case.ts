import { defaultFateSettings } from '../../services/shared/domain/fate.ts'
import { createLogger } from '../../services/shared/io/log.ts'
import { openFileRegistry } from '../../services/shared/io/schema-registry.ts'
import { loadTaxonomy } from '../../services/shared/io/taxonomy-file.ts'
import { audit, readAuditedLog, type AuditReport, type Looks } from '../../services/shared/pipeline/audit.ts'
import { repair, type RepairReport } from '../../services/shared/pipeline/repair.ts'
import { createStore } from '../../services/shared/pipeline/store.ts'
import { createKafka } from '../../services/shared/io/kafka.ts'
import { pipelineCase, type PipelineCase } from './pipeline-case.ts'

/** A pipeline case with what `audit` and `repair` need, and small looks: nothing runs beside them. */
export interface AuditCase extends PipelineCase {
  /** One look, or several as beside running classifiers. */
  audit(looks?: Looks): Promise<AuditReport>
  repair(options?: { dryRun?: boolean; duplicateWindowOffsets?: number }): Promise<RepairReport>
  /** A statement of somebody who may do anything to the tables, done when it returns. */
  tamper(sql: string): Promise<void>
}

/** One look is enough where nothing runs. */
const looks = { max: 1, pauseMs: 0 }

export async function auditCase(...[t, options = {}]: Parameters<typeof pipelineCase>): Promise<AuditCase> {
  const work = await pipelineCase(t, options)
  const { topic, group, stream, database, clickHouse, steward, admin, stack } = work
  const log = createLogger({ service: 'test', level: 'silent', pretty: false })
  const registry = openFileRegistry()
  return {
    ...work,
    audit: (asked = looks) =>
      audit({ clickHouse, database, stream, topic, looks: asked, log: () => readAuditedLog(admin, { topic, group }) }),
    repair: ({ dryRun = false, duplicateWindowOffsets = defaultFateSettings.duplicateWindowOffsets } = {}) =>
      repair(
        {
          ...{ stream, topic, group, admin, log, looks },
          kafka: createKafka({ brokers: stack.kafkaBrokers, clientId: 'test', ssl: false }, log),
          store: createStore({ clickHouse: steward, database, stream }),
          fates: { ...defaultFateSettings, ageMaxMs: stream.ageMaxMs, duplicateWindowOffsets },
          taxonomy: loadTaxonomy(1),
          taxonomyOf: (version) => loadTaxonomy(version),
          schema: (id) => registry.schema(id),
          onStep: () => undefined,
        },
        { dryRun },
      ),
    tamper: (sql) => steward.command(sql.replaceAll('{db}', database), {}, { mutations_sync: '2' }),
  }
}
