import type { AlertNotice, Receiver } from './notice.ts'
import { cleanLabels } from './alert-labels.ts'
import { createPoster, type Endpoint } from './post-json.ts'

export interface WebhookOptions extends Endpoint {
  /** `generatorURL` of the alerts and `externalURL` of the body. */
  readonly generatorUrl?: string | undefined
  /** Under which its deliveries are recorded, and the body's `receiver`. */
  readonly name?: string
}

/** What Alertmanager says for "it has not ended": Go's zero time. */
const notEnded = '0001-01-01T00:00:00Z'

/**
 * Anything that takes the body that Alertmanager sends to webhooks, version "4"
 * (https://prometheus.io/docs/alerting/latest/configuration/#webhook_config): chat bridges, pagers, incident tools.
 *
 * One request a group, and a group is an `alertname`. A fault in the middle leaves the earlier groups sent, so `createDelivery`
 * hands over one group at a time.
 */
export function createWebhookReceiver(options: WebhookOptions): Receiver {
  const post = createPoster('webhook', options)
  const name = options.name ?? 'webhook'
  return {
    name,
    wants: 'changes',
    async send(notices) {
      for (const [alertname, group] of Map.groupBy(notices, ({ labels }) => labels['alertname'] ?? '')) {
        await post(groupBody(alertname, group, { name, generatorUrl: options.generatorUrl ?? '' }))
      }
    },
  }
}

function groupBody(alertname: string, group: readonly AlertNotice[], from: { name: string; generatorUrl: string }) {
  const alerts = group.map((notice) => ({
    status: notice.status,
    labels: cleanLabels(notice.labels),
    annotations: cleanLabels(notice.annotations),
    startsAt: new Date(notice.startsAtMs).toISOString(),
    endsAt: notice.status === 'firing' || notice.endsAtMs === null ? notEnded : new Date(notice.endsAtMs).toISOString(),
    generatorURL: from.generatorUrl,
    fingerprint: notice.fingerprint,
  }))
  return {
    version: '4',
    groupKey: `{}:{alertname=${JSON.stringify(alertname)}}`,
    truncatedAlerts: 0,
    status: alerts.some(({ status }) => status === 'firing') ? 'firing' : 'resolved',
    receiver: from.name,
    groupLabels: cleanLabels({ alertname }),
    commonLabels: common(alerts.map(({ labels }) => labels)),
    commonAnnotations: common(alerts.map(({ annotations }) => annotations)),
    externalURL: from.generatorUrl,
    alerts,
  }
}

/** Names that all have with one value. */
function common(all: readonly Record<string, string>[]): Record<string, string> {
  const [first = {}, ...others] = all
  return Object.fromEntries(
    Object.entries(first).filter(([name, value]) => others.every((other) => other[name] === value)),
  )
}
