import { readFileSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'

import { z } from 'zod'

import type { LocalStack } from './stack.ts'

/** The role a verb needs in ClickHouse. */
export type Role = 'pipeline' | 'steward' | 'analyst'

/** Where the demo, `start` and `stack` keep their data unless told otherwise. */
export const defaultDataDir = join(import.meta.dirname, '../../.data')

const sessionFormat = z.object({ pid: z.int(), kafkaBrokers: z.array(z.string()), clickhouseUrl: z.string() })
const secretsFormat = z.object({
  pipelinePassword: z.string(),
  stewardPassword: z.string(),
  analystPassword: z.string(),
  householdKey: z.string(),
})

/** Notes a running stack's endpoints in its folder, so that verbs in another terminal find it without any setting. */
export async function announce(stack: LocalStack): Promise<{ withdraw(): Promise<void> }> {
  const file = join(stack.dataDir, 'endpoints.json')
  const { kafkaBrokers, clickhouseUrl } = stack
  await writeFile(file, JSON.stringify({ pid: process.pid, kafkaBrokers, clickhouseUrl }))
  return { withdraw: () => rm(file, { force: true }) }
}

/** The environment that reaches a stack in a role: the variables the README's table names. */
export function stackEnvironment(
  stack: Pick<LocalStack, 'kafkaBrokers' | 'clickhouseUrl' | 'secrets'>,
  role: Role,
): Record<string, string> {
  return {
    KAFKA_BROKERS: stack.kafkaBrokers.join(','),
    CLICKHOUSE_URL: stack.clickhouseUrl,
    CLICKHOUSE_USER: role,
    CLICKHOUSE_PASSWORD: stack.secrets[`${role}Password`],
    HOUSEHOLD_KEY: stack.secrets.householdKey,
  }
}

/**
 * The environment a verb works with: the caller's own when it names Kafka or ClickHouse, else that of the stack which runs on
 * the data folder, else the caller's own (whose missing variables are then reported).
 */
export function resolveEnvironment(
  env: NodeJS.ProcessEnv,
  role: Role,
  dataDir = env['INTENT_LEDGER_DATA'] ?? defaultDataDir,
): NodeJS.ProcessEnv {
  if (env['KAFKA_BROKERS'] !== undefined || env['CLICKHOUSE_URL'] !== undefined) {
    return env
  }
  const session = sessionFormat.safeParse(readJson(join(resolve(dataDir), 'endpoints.json'))).data
  const secrets = secretsFormat.safeParse(readJson(join(resolve(dataDir), 'secrets.json'))).data
  if (session === undefined || secrets === undefined || !isAlive(session.pid)) {
    return env
  }
  return { ...env, ...stackEnvironment({ ...session, secrets }, role) }
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
