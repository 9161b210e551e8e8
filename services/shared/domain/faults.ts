/**
 * Faults: what stops or delays the pipeline. An event's own fate is a value, never one of these (see `fate.ts`).
 *
 * `retryable` says whether the same call may succeed later with nothing changed by a person.
 */
export const faultCodes = [
  'config_invalid',
  'usage_invalid',
  'file_invalid',
  'kafka_unreachable',
  'kafka_refused',
  'clickhouse_unreachable',
  'clickhouse_refused',
  'registry_unreachable',
  'registry_refused',
  'receiver_unreachable',
  'receiver_refused',
  'membership_lost',
  'producer_fenced',
  'lease_expired',
  'plan_unreadable',
  'ledger_disagrees',
  'log_expired',
  'archive_damaged',
  'rejection_limit',
  'stack_failed',
  'stop_overdue',
] as const

export type FaultCode = (typeof faultCodes)[number]

export class PipelineError extends Error {
  readonly code: FaultCode
  readonly retryable: boolean

  constructor(message: string, options: { code: FaultCode; retryable?: boolean; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'PipelineError'
    this.code = options.code
    this.retryable = options.retryable ?? false
  }
}

/** A person's mistake: printed as its one sentence, without a stack trace, and exit code 1. */
export function mistake(message: string, code: FaultCode = 'usage_invalid'): PipelineError {
  return new PipelineError(message, { code })
}

/** The message of anything thrown, for wrapping with what we were doing. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof AggregateError) {
    return thrown.errors.map(messageOf).join('; ')
  }
  return thrown instanceof Error ? thrown.message : String(thrown)
}
