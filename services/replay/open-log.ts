import type { KafkaAdmin } from '../shared/io/kafka-admin.ts'
import type { Kafka } from '../shared/io/kafka.ts'
import type { Logger } from '../shared/io/log.ts'
import type { Store } from '../shared/pipeline/store.ts'
import { openArchiveLog } from './archive-log.ts'
import { openArchiveSource, type ArchiveSourceOptions } from './archive-source.ts'
import type { Definition } from './definition.ts'
import { openKafkaLog, openKafkaSource, type KafkaSourceOptions } from './kafka-source.ts'
import type { ReplayRecord } from './record.ts'
import type { ReplayLog, ReplaySource } from './source.ts'

export interface OpenedLog {
  readonly log: ReplayLog
  /** Where one member of a replay reads it. */
  sourceFor(replay: ReplayParts, member: ArchiveSourceOptions['member']): ReplaySource
}

interface ReplayParts {
  readonly definition: Definition
  readonly record: ReplayRecord
  readonly store: Store
}

export type FetchSettings = Pick<
  KafkaSourceOptions,
  'sessionTimeoutMs' | 'metadataMaxAgeMs' | 'fetchWaitMs' | 'decoder' | 'ratePerSecond'
>

/** The log that `--source` names. An archive is read without Kafka. */
export async function openLog(
  { archiveDir }: { archiveDir: string | undefined },
  { kafka: connect, log, fetch }: { kafka: () => Promise<KafkaParts>; log: Logger; fetch: FetchSettings },
): Promise<OpenedLog> {
  if (archiveDir !== undefined) {
    const archive = await openArchiveLog(archiveDir)
    return { log: archive, sourceFor: (replay, member) => openArchiveSource({ ...replay, archive, member }) }
  }
  const { kafka, admin, topic } = await connect()
  return {
    log: openKafkaLog({ kafka, admin, topic }),
    sourceFor: ({ definition: { group } }) => openKafkaSource({ ...fetch, kafka, admin, topic, group, log }),
  }
}

interface KafkaParts {
  readonly kafka: Kafka
  readonly admin: KafkaAdmin
  readonly topic: string
}
