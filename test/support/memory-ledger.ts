import { changeKey } from '../../services/alerts/delivery-plan.ts'
import type { DeliveryLedger, Taken } from '../../services/alerts/delivery.ts'
import { PipelineError } from '../../services/shared/domain/faults.ts'

/** What happens to the next insert: `lost` before it is stored, `unheard` after; `killed` is the end of the process. */
export type LedgerFate = 'ok' | 'lost' | 'unheard' | 'killed'

export interface MemoryLedger extends DeliveryLedger {
  /** Every row that was stored: a change that was recorded twice stands here twice. */
  readonly rows: Taken[]
  readonly fates: LedgerFate[]
  isAway: boolean
}

/** The ledger as ClickHouse keeps it: a batch that is inserted again is stored once. It outlives the deliveries that use it. */
export function createMemoryLedger(): MemoryLedger {
  const batches = new Set<string>()
  const ledger: MemoryLedger = {
    rows: [],
    fates: [],
    isAway: false,
    async delivered(receiver, sinceMs) {
      await Promise.resolve()
      refuseWhenAway()
      return ledger.rows.filter((row) => row.receiver === receiver && row.startsAtMs >= sinceMs)
    },
    async record(rows) {
      await Promise.resolve()
      refuseWhenAway()
      const fate = ledger.fates.shift() ?? 'ok'
      if (fate === 'killed') {
        throw new Error('killed')
      }
      if (fate === 'lost') {
        throw away()
      }
      const token = rows.map((row) => `${row.receiver} ${changeKey(row)}`).join()
      if (!batches.has(token)) {
        batches.add(token)
        ledger.rows.push(...rows)
      }
      if (fate === 'unheard') {
        throw away()
      }
    },
  }
  return ledger

  function refuseWhenAway(): void {
    if (ledger.isAway) {
      throw away()
    }
  }
}

function away(): PipelineError {
  return new PipelineError("ClickHouse can't be reached", { code: 'clickhouse_unreachable', retryable: true })
}
