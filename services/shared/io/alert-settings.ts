import { z } from 'zod'

import { count, text, type Variable } from './setting-kinds.ts'

const httpAddress = z
  .url({ protocol: /^https?$/, error: 'must be http://host:port or https://host:port' })
  .regex(/^[^@?#]*$/, 'must have no @, ? and #: a user has a variable of its own')
  .optional()

/** What `alerts run` reads beside the connections. */
export const alertVariables = {
  ALERT_MANAGER_URL: { schema: httpAddress, what: 'Alertmanager that alerts go to, if any' },
  ALERT_MANAGER_USER: { schema: text.optional(), what: 'User of Alertmanager' },
  ALERT_MANAGER_PASSWORD: { schema: text.optional(), what: 'Password of Alertmanager', secret: true },
  ALERT_WEBHOOK_URL: { schema: httpAddress, what: 'Webhook that alerts go to, if any' },
  ALERT_WEBHOOK_USER: { schema: text.optional(), what: 'User of the webhook' },
  ALERT_WEBHOOK_PASSWORD: { schema: text.optional(), what: 'Password of the webhook', secret: true },
  ALERT_LATENESS_MS: {
    schema: count(0, 604_800_000, 3_600_000),
    what: 'Milliseconds a window waits for late events after its end',
  },
  ALERT_LAG_GRACE_MS: {
    schema: count(0, 604_800_000, 900_000),
    what: 'Milliseconds a window may be overdue before its rules lag',
  },
  ALERT_EVERY_MS: {
    schema: count(100, 3_600_000, 30_000),
    what: 'Milliseconds between two looks for complete windows',
  },
  ALERT_RESEND_MS: { schema: count(1_000, 3_600_000, 60_000), what: 'Milliseconds until Alertmanager is told again' },
} as const satisfies Record<string, Variable<unknown>>
