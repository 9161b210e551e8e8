/**
 * The fate of a message: accepted, duplicate or rejected, decided by the log alone. Never by the clock, batch sizes,
 * crashes or the process that looked, so that a retry and a replay agree with the first try.
 *
 * A rejection is a value, not an exception; its reason comes from this closed list and its detail names the field.
 */
export const rejectionReasons = [
  'not_framed',
  'unknown_schema',
  'malformed',
  'trailing_bytes',
  'field_invalid',
  'in_future',
  'too_old',
  'too_large',
] as const

export type RejectionReason = (typeof rejectionReasons)[number]

export const reasonMeanings: Record<RejectionReason, string> = {
  not_framed: 'no value, or not byte 0 and a 4-byte schema id before the body',
  unknown_schema: 'the schema id is not in the registry, or the schema lacks what the stream needs',
  malformed: 'the body is not what its schema says',
  trailing_bytes: 'the body goes on after its schema ends',
  field_invalid: 'a named field holds a value outside its bounds',
  in_future: 'the event happened later than its Kafka record was sent, beyond the tolerance',
  too_old: 'the event happened too long before its Kafka record was sent',
  too_large: 'the message is larger than an event may be',
}

/** Every setting that can change a fate. A plan carries them, so that a recovered batch is finished under its own. */
export interface FateSettings {
  /** A copy within this many offsets of an earlier one, in the same partition, is a duplicate. */
  readonly duplicateWindowOffsets: number
  /** An event may happen this long after its record's timestamp (clock skew of devices), milliseconds. */
  readonly futureToleranceMs: number
  /** An event may happen this long before its record's timestamp, milliseconds. */
  readonly ageMaxMs: number
  /** A message value may have this many bytes. */
  readonly eventBytesMax: number
}

export const defaultFateSettings: FateSettings = {
  duplicateWindowOffsets: 200_000,
  futureToleranceMs: 3_600_000,
  ageMaxMs: 400 * 86_400_000,
  eventBytesMax: 65_536,
}
