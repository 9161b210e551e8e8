import type { AlertNotice } from '../../services/alerts/notice.ts'

/** 2026-03-02 00:00 UTC. */
const noticesFromMs = Date.UTC(2026, 2, 2)
const hourMs = 3_600_000

/** A notice of the rule BroadShareDrop in one country: fires at `hour`, and is resolved at `untilHour` where that is given. */
export function notice(options: {
  country: string
  hour: number
  untilHour?: number
  alertname?: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
  /** What the hours count from, where a real server's clock matters. */
  fromMs?: number
}): AlertNotice {
  const { country, hour, untilHour, alertname = 'BroadShareDrop', fromMs = noticesFromMs } = options
  return {
    fingerprint: Buffer.from(`${alertname}/${country}`).toString('hex').padEnd(16, '0').slice(-16),
    status: untilHour === undefined ? 'firing' : 'resolved',
    startsAtMs: fromMs + hour * hourMs,
    endsAtMs: untilHour === undefined ? null : fromMs + untilHour * hourMs,
    labels: { alertname, severity: 'warning', country, ...options.labels },
    annotations: { summary: `fewer broad requests in ${country}`, ...options.annotations },
  }
}
