/** The servers' side of a measurement: CPU seconds of their processes, and waiting until background work is over. */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

import type { LocalStack } from '../../services/local/stack.ts'
import type { ClickHouse } from '../../services/shared/io/clickhouse.ts'

export interface ServerCpu {
  readonly clickHouseSeconds: number
  readonly kafkaSeconds: number
}

/** CPU seconds, user and system, that the servers have used since they started. */
export function readServerCpu(stack: LocalStack): ServerCpu {
  return { clickHouseSeconds: cpuSecondsOf(stack.clickhouse.pid), kafkaSeconds: cpuSecondsOf(stack.kafka.pid) }
}

export function cpuBetween(before: ServerCpu, after: ServerCpu): ServerCpu {
  return {
    clickHouseSeconds: after.clickHouseSeconds - before.clickHouseSeconds,
    kafkaSeconds: after.kafkaSeconds - before.kafkaSeconds,
  }
}

/** Linux counts in hundredths of a second (USER_HZ), whatever the kernel's own tick. proc(5), /proc/pid/stat, fields 14 and 15. */
const ticksPerSecond = 100

/** CPU seconds, user and system, that a process has used since it started. */
export function cpuSecondsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The second field is the command in parentheses and may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond
}

const quietLooks = 4
const lookPauseMs = 500
const quietDeadlineMs = 120_000

/** Waits until ClickHouse has not merged for two seconds: what a contender leaves to be merged belongs to its cost. */
export async function waitUntilQuiet(clickHouse: ClickHouse): Promise<void> {
  const givesUpAt = performance.now() + quietDeadlineMs
  for (let quiet = 0; quiet < quietLooks;) {
    const [row] = await clickHouse.rows<{ merges: number }>('SELECT count() AS merges FROM system.merges')
    quiet = row!.merges === 0 ? quiet + 1 : 0
    if (performance.now() > givesUpAt) {
      throw new Error(`ClickHouse still merges after ${quietDeadlineMs / 1_000} s`)
    }
    await sleep(lookPauseMs)
  }
}
