/** What faults work on. */
import type { Kafka } from 'kafkajs'

import type { ClickHouse } from '../../services/shared/io/clickhouse.ts'
import type { KafkaAdmin } from '../../services/shared/io/kafka-admin.ts'
import type { Random } from '../../services/producer/random.ts'
import type { Fleet } from './fleet.ts'
import type { KeptServer } from './kept-server.ts'
import type { Load } from './load.ts'
import type { Manifest } from './manifest.ts'
import type { Progress } from './progress.ts'
import type { Proxy } from './proxy.ts'

export interface FaultedWorld {
  readonly topic: string
  readonly group: string
  readonly database: string
  readonly clickHouseServer: KeptServer
  readonly clickHouseProxy: Proxy
  /** The classifier's own port of that proxy. */
  portOf(member: number): number
  /** Past the proxy. */
  readonly clickHouse: ClickHouse
  /** May change a table's settings. */
  readonly steward: ClickHouse
  readonly kafkaServers: readonly KeptServer[]
  /** One a broker, in the same order. */
  readonly kafkaProxies: readonly Proxy[]
  readonly kafka: Kafka
  readonly admin: KafkaAdmin
  readonly fleet: Fleet
  readonly load: Load
  readonly manifest: Manifest
  readonly progress: Progress
  readonly sessionTimeoutMs: number
  /** Members of the group that one classifier is. */
  readonly memberships: number
  readonly dedupWindowBlocks: number
}

/** What a fault did, in words, and figures for the record. */
export interface Deeds {
  readonly details: string
  /** How long after the death of a broker the load was acknowledged on every partition again, that broker still away. */
  readonly loadOnAfterMs?: number
  /** Inserts that came after their lease and were refused. */
  readonly lateInsertsRefused?: number
}

/** Does it, and resolves when its cause is over. Draws from `random` in an order that does not depend on time. */
export type Fault = (world: FaultedWorld, random: Random) => Promise<Deeds>

/** How long a fault waits for somebody to meet it. */
export const metMaxMs = 8_000

export function pick<T>(from: readonly T[], random: Random): T {
  return from[random.integer(0, from.length - 1)]!
}
