import { z } from 'zod'

import { checkFlags, parseFlags } from '../support/flags.ts'

export interface OutageOptions {
  readonly server: 'clickhouse' | 'kafka'
  readonly events: number
  readonly awaySeconds: number
}

export const help = `npm run outage -- [options]

Sends a backlog, starts two classifiers, kills a server, starts it again after a while, and says what happened meanwhile.
Exit code 0 only if everything is stored and the audit is clean.

  --server NAME   clickhouse or kafka (default clickhouse)
  --events N      events of the backlog, 10000 to 100000000 (default 3000000)
  --away-s N      seconds the server is away, 1 to 540 (default 120)
  --help          this text

Example: npm run outage -- --server kafka --events 300000 --away-s 30
`

const format = z.object({
  server: z.enum(['clickhouse', 'kafka']).default('clickhouse'),
  events: z.coerce.number().int().min(10_000).max(100_000_000).default(3_000_000),
  'away-s': z.coerce.number().int().min(1).max(540).default(120),
})

/** Undefined when help was asked for. Throws one sentence for a wrong flag. */
export function readOptions(args: string[]): OutageOptions | undefined {
  const flag = { type: 'string' } as const
  const values = parseFlags('outage', args, { server: flag, events: flag, 'away-s': flag })
  if (values === undefined) {
    return undefined
  }
  const { server, events, 'away-s': awaySeconds } = checkFlags('outage', format, values)
  return { server, events, awaySeconds }
}
