import { parseArgs } from 'node:util'

import { z } from 'zod'

import { messageOf, mistake } from '../../services/shared/domain/faults.ts'

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

const options = z.object({
  server: z.enum(['clickhouse', 'kafka']).default('clickhouse'),
  events: z.coerce.number().int().min(10_000).max(100_000_000).default(3_000_000),
  'away-s': z.coerce.number().int().min(1).max(540).default(120),
})

/** The options, or undefined when help was asked for. Throws a mistake that names the flag. */
export function readOptions(args: string[]): OutageOptions | undefined {
  let values: Record<string, unknown>
  try {
    const flag = { type: 'string' } as const
    values = parseArgs({
      args,
      options: { server: flag, events: flag, 'away-s': flag, help: { type: 'boolean' } },
    }).values
  } catch (thrown) {
    throw mistake(`${messageOf(thrown)}; see --help`)
  }
  if (values['help'] === true) {
    return undefined
  }
  const read = options.safeParse(values)
  if (!read.success) {
    const [issue] = read.error.issues
    throw mistake(`--${String(issue!.path[0])}: ${issue!.message}; see --help`)
  }
  return { server: read.data.server, events: read.data.events, awaySeconds: read.data['away-s'] }
}
