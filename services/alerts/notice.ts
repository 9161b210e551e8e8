/** What is told to people of one alert: made anew from the recorded transitions each time, so nothing is lost over a restart. */
export interface AlertNotice {
  /** Of rule and cohort: the same for as long as the rule has this name. */
  readonly fingerprint: string
  readonly status: 'firing' | 'resolved'
  /** End of the window in which it began to fire, milliseconds since 1970-01-01 UTC; tells one firing from the next. */
  readonly startsAtMs: number
  /** End of the window in which it was resolved; null while it fires. */
  readonly endsAtMs: number | null
  /** `alertname`, `severity`, the cohort's dimensions and the rule's own labels. No numbers: they would make it another alert. */
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

/** Somewhere that notices go. `send` resolves when it has taken all of them; it throws a PipelineError, retryable or not. */
export interface Receiver {
  readonly name: string
  /** `changes` hears of each firing and resolving once; `state` is told again and again what fires (Alertmanager forgets). */
  readonly wants: 'changes' | 'state'
  send(notices: readonly AlertNotice[]): Promise<void>
}

/** One notice that a receiver has taken: a row of `alert_deliveries`. */
export interface Delivered {
  readonly receiver: string
  readonly fingerprint: string
  readonly startsAtMs: number
  readonly status: AlertNotice['status']
}
