/** One rule of `infra/alerts/rules.yaml` as the engine reads it: checked, with its defaults, in plain numbers. */
export interface Rule {
  readonly name: string
  readonly measure: Measure
  readonly filter: RuleFilter
  /** One alert for each combination of their values; none makes one alert over all. */
  readonly by: readonly RuleDimension[]
  readonly window: WindowLength
  /**
   * The longer window of which what has passed so far is judged with every `window`, by always-valid intervals; null: each
   * `window` is judged by itself.
   */
  readonly soFar: Exclude<WindowLength, 'hour'> | null
  readonly condition: Condition
  readonly baseline: Baseline
  /** Dimension whose mix is told apart from the rate; null: the whole change pages. */
  readonly mix: Exclude<RuleDimension, 'partition'> | null
  readonly minimumHouseholds: number
  readonly minimumRequests: number
  /** Two-sided, above 0.5 and below 1. */
  readonly confidence: number
  /** Windows in a row, this one included, that the condition must hold before the alert fires; at least 1. */
  readonly forWindows: number
  /** Windows that the alert fires on after the condition held for the last time. */
  readonly keepFiringForWindows: number
  /** Part of the threshold, or of the least change, that a firing alert must come back by; 0 to 1. */
  readonly hysteresis: number
  readonly severity: Severity
  readonly labels: Readonly<Record<string, string>>
  /** Texts with `{{name}}` for values of the alert (`annotationValues`). */
  readonly annotations: Readonly<Record<string, string>>
}

export const measures = [
  'strict_share',
  'broad_share',
  'unclassified_ratio',
  'requests_per_household',
  'rejected_ratio',
] as const
export type Measure = (typeof measures)[number]

/** `partition` is for `rejected_ratio` alone, and the only one it knows. */
export const ruleDimensions = ['product', 'cohort_month', 'country', 'plans', 'partition'] as const
export type RuleDimension = (typeof ruleDimensions)[number]

/** Empty values ask for nothing. `plans` is a set, comma-joined and sorted. */
export type RuleFilter = Readonly<Partial<Record<Exclude<RuleDimension, 'partition'>, string>>>

export const windowLengths = ['hour', 'day', 'week'] as const
export type WindowLength = (typeof windowLengths)[number]

export type Condition =
  /** The measure is surely below or above a value. */
  | { readonly kind: 'threshold'; readonly side: 'below' | 'above'; readonly value: number }
  /** The measure has surely changed against the baseline, by at least `least` (relative: 0.1 is a tenth of the baseline). */
  | {
      readonly kind: 'change'
      readonly direction: 'drop' | 'rise' | 'either'
      readonly least: number
      readonly unit: 'relative' | 'absolute'
    }
  /** The measure drifts slowly: a CUSUM chart of the days (k and h in standard errors). Windows of a day. */
  | { readonly kind: 'drift'; readonly direction: 'drop' | 'rise' | 'either'; readonly k: number; readonly h: number }

export interface Baseline {
  /** The same weekday (and hour) of the last so many weeks; for windows of a week the last so many weeks. */
  readonly weeks: number
  readonly centre: 'mean' | 'median'
}

export const severities = ['info', 'warning', 'critical'] as const
export type Severity = (typeof severities)[number]

/** Milliseconds of a window. */
export const windowMs: Readonly<Record<WindowLength, number>> = {
  hour: 3_600_000,
  day: 86_400_000,
  week: 7 * 86_400_000,
}

/** Names that an annotation may use, beside the dimensions of `by`. */
export const annotationValues = [
  'value',
  'low',
  'high',
  'baseline',
  'difference',
  'relative_change',
  'p_value',
  'adjusted_p',
  'mix_part',
  'rate_part',
  'corrected',
  'corrected_low',
  'corrected_high',
  'households',
  'requests',
  'window',
] as const
