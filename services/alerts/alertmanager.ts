import type { AlertNotice, Receiver } from './notice.ts'
import { cleanLabels } from './alert-labels.ts'
import { createPoster, type Endpoint } from './post-json.ts'

export interface AlertmanagerOptions extends Endpoint {
  /** Where an alert leads to from Alertmanager's pages. */
  readonly generatorUrl?: string | undefined
  /** How often `createDelivery` tells what fires again: the same number. */
  readonly resendMs: number
  /** Under which its deliveries are recorded; another name for each Alertmanager of a cluster. */
  readonly name?: string
  readonly nowMs?: () => number
}

/** Resends that may fail or come late before Alertmanager takes an alert for over, as Prometheus has it. */
const resendsInValidity = 4

/**
 * Prometheus Alertmanager, API v2 (https://prometheus.io/docs/alerting/latest/alerts_api/): `POST /api/v2/alerts`.
 *
 * A firing alert ends `resendsInValidity` resends from now, so that Alertmanager resolves it by itself when we die; until then each
 * resend moves the end on. Alertmanager knows an alert by its labels, so a resend is never another one.
 */
export function createAlertmanagerReceiver(options: AlertmanagerOptions): Receiver {
  const post = createPoster('Alertmanager', options, '/api/v2/alerts')
  const nowMs = options.nowMs ?? Date.now
  return {
    name: options.name ?? 'alertmanager',
    wants: 'state',
    send: (notices) => post(notices.map((notice) => alertBody(notice, nowMs(), options))),
  }
}

function alertBody(notice: AlertNotice, nowMs: number, { generatorUrl, resendMs }: AlertmanagerOptions) {
  const endMs = notice.status === 'firing' ? nowMs + resendsInValidity * resendMs : (notice.endsAtMs ?? nowMs)
  // An end before the beginning is refused, and clocks differ.
  const endsAtMs = Math.max(notice.startsAtMs, endMs)
  return {
    labels: cleanLabels(notice.labels),
    annotations: cleanLabels(notice.annotations),
    startsAt: new Date(notice.startsAtMs).toISOString(),
    endsAt: new Date(endsAtMs).toISOString(),
    ...(generatorUrl === undefined ? {} : { generatorURL: generatorUrl }),
  }
}
