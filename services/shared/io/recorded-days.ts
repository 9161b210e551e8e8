/** Days of the Kafka record, UTC, both included; all where none is given. */
export interface RecordedDays {
  readonly from: string | undefined
  readonly to: string | undefined
}

/** Conditions on `recorded_at`; the days themselves are the parameters `from` and `to`. */
export function recordedWithin({ from, to }: RecordedDays): string[] {
  return [
    ...(from === undefined ? [] : ['recorded_at >= toDateTime64({from:Date}, 3)']),
    ...(to === undefined ? [] : ['recorded_at < toDateTime64({to:Date} + 1, 3)']),
  ]
}
