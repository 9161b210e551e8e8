import { z } from 'zod'

import { assistantIntents } from '../domain/assistant-intents.ts'
import { mistake } from '../domain/faults.ts'
import { streamNames } from '../domain/streams.ts'
import { alertVariables } from './alert-settings.ts'
import type { ClickHouseConnection } from './clickhouse.ts'
import type { KafkaSettings } from './kafka.ts'
import { count, text, type Variable } from './setting-kinds.ts'

/**
 * Settings from the environment. A service names the variables it reads; all mistakes are reported together, one a line,
 * and an unknown variable that begins with one of our prefixes is a mistake too (a typo would otherwise be silent).
 */
const flag = z
  .enum(['true', 'false'])
  .default('false')
  .transform((value) => value === 'true')

const brokers = z
  .string()
  .transform((value) => value.split(',').map((broker) => broker.trim()))
  .pipe(z.array(z.string().regex(/^[^\s:]+:\d{1,5}$/, 'must be host:port, several separated by commas')).min(1))

const kafkaName = z.string().regex(/^[A-Za-z0-9._-]{1,120}$/)

/** Tables live in this database, views for people in the one with `_views` after `intent_ledger`. */
export const databaseName = z
  .string()
  .regex(
    /^intent_ledger(?!_views|_staging)(_[a-z0-9_]{1,64})?$/,
    'must be intent_ledger, or intent_ledger_ and a suffix of at most 64 a-z, 0-9 and _',
  )

/** Every variable that any part of Intent Ledger reads. The table in README.md is checked against this list by a test. */
export const variables = {
  KAFKA_BROKERS: { schema: brokers, what: 'Kafka brokers, host:port, separated by commas' },
  STREAM: {
    schema: z.enum(streamNames, `must be ${streamNames.join(', ')}`).default(assistantIntents.name),
    what: `What is read or sent: ${streamNames.join(', ')}`,
  },
  KAFKA_TOPIC: { schema: kafkaName.optional(), what: "Topic of that stream; the stream's name when left out" },
  KAFKA_GROUP: {
    schema: kafkaName.optional(),
    what: 'Consumer group of its classifiers; intent-ledger-classifier, for other streams with their name behind it',
  },
  KAFKA_TOPIC_PREFIX: {
    schema: z
      .string()
      .regex(/^[A-Za-z0-9._-]{0,60}$/)
      .default(''),
    what: 'Stands before the names of topics and groups that are left out',
  },
  KAFKA_MEMBERSHIPS: {
    schema: count(1, 16, 2),
    what: 'Members of the group that one classifier process is: while one stores, another reads',
  },
  KAFKA_PARTITIONS: {
    schema: count(1, 10_000, 4),
    what: 'Partitions `migrate` gives the topic; more than it has are added',
  },
  KAFKA_REPLICAS: { schema: count(1, 9, 1), what: 'Replicas `migrate` gives a new topic' },
  KAFKA_SSL: { schema: flag, what: 'true: TLS to Kafka' },
  KAFKA_SSL_CA_FILE: { schema: text.optional(), what: 'PEM file of a certificate authority of your own' },
  KAFKA_SASL_MECHANISM: {
    schema: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']).optional(),
    what: 'plain, scram-sha-256 or scram-sha-512',
  },
  KAFKA_SASL_USERNAME: { schema: text.optional(), what: 'User of the SASL login' },
  KAFKA_SASL_PASSWORD: { schema: text.optional(), what: 'Password of the SASL login', secret: true },
  KAFKA_DECODER: {
    schema: z.enum(['lean', 'kafkajs']).default('lean'),
    what: 'Who decodes what a classifier fetches: lean (ours, faster) or kafkajs',
  },
  CLICKHOUSE_URL: {
    schema: z
      .url({ protocol: /^https?$/, error: 'must be http://host:port or https://host:port' })
      // The client would take users, databases and settings of ClickHouse out of an address; those that make an insert exact
      // must not be changed, and users and databases have variables of their own.
      .regex(/^https?:\/\/[^/?#@]+\/?$/i, 'must be http://host:port or https://host:port, nothing more'),
    what: 'ClickHouse over HTTP or HTTPS',
  },
  CLICKHOUSE_SSL_CA_FILE: {
    schema: text.optional(),
    what: 'PEM file of a certificate authority of your own, for https',
  },
  CLICKHOUSE_USER: { schema: text.optional(), what: 'User; pipeline, steward or analyst by the verb when left out' },
  CLICKHOUSE_PASSWORD: { schema: z.string().default(''), what: 'Password of that user', secret: true },
  CLICKHOUSE_DATABASE: {
    schema: databaseName.default('intent_ledger'),
    what: 'Database of the tables; the views are in intent_ledger_views',
  },
  CLICKHOUSE_CLUSTER: {
    schema: z
      .string()
      .regex(/^[A-Za-z0-9_]{1,64}$/)
      .optional(),
    what: 'Cluster: `migrate` then uses ON CLUSTER and replicated tables',
  },
  SCHEMA_REGISTRY_URL: {
    schema: z
      .url({ protocol: /^https?$/, error: 'must be http://host:port or https://host:port' })
      .regex(/^[^?#]*$/, 'must have no ? and no #')
      .optional(),
    what: 'Confluent-compatible registry; schemas/registry.json when left out',
  },
  SCHEMA_REGISTRY_USER: { schema: text.optional(), what: 'User of the registry' },
  SCHEMA_REGISTRY_PASSWORD: { schema: text.optional(), what: 'Password of the registry', secret: true },
  HOUSEHOLD_KEY: {
    schema: z.string().regex(/^([0-9a-f]{2}){16,64}$/i, 'must be 16 to 64 bytes in hex'),
    what: 'HMAC key of the pseudonyms (simulate, import)',
    secret: true,
  },
  TAXONOMY_VERSION: { schema: count(1, 65_535, 1), what: 'Taxonomy that classes new batches' },
  DUPLICATE_WINDOW_OFFSETS: {
    schema: count(1, 10_000_000, 200_000),
    what: 'A copy within so many offsets is a duplicate',
  },
  EVENT_AGE_MAX_DAYS: {
    schema: z.coerce.number('must be a number').int('must be a whole number').min(1).max(36_525).optional(),
    what: 'Days before it was sent that an event may have happened; 400 for assistant-intents, 7305 for the other streams',
  },
  EVENT_BYTES_MAX: { schema: count(64, 10_000_000, 65_536), what: 'Bytes a message may have' },
  BATCH_ROWS_MAX: { schema: count(1, 500_000, 100_000), what: 'Rows gathered at most before they are stored' },
  BATCH_BYTES_MAX: {
    schema: count(1_024, 256 * 1_048_576, 24 * 1_048_576),
    what: 'Bytes gathered at most before they are stored',
  },
  GATHER_MAX_MS: { schema: count(0, 60_000, 5_000), what: 'Milliseconds rows are gathered over several fetches' },
  REJECTED_PERCENT_MAX: {
    schema: count(0, 100, 50),
    what: 'Per cent of recent messages that may be rejected before a classifier stops; 100: it never does',
  },
  REJECTED_ROWS_MIN: {
    schema: count(1, 1_000_000_000, 1_000),
    what: 'So many recent messages must have been rejected before it stops',
  },
  FETCH_WAIT_MS: {
    schema: count(1, 30_000, 150),
    what: 'Milliseconds a fetch waits for more; the larger part of the latency',
  },
  SESSION_TIMEOUT_MS: {
    schema: count(1_000, 300_000, 10_000),
    what: 'Milliseconds until a silent classifier loses its partitions',
  },
  METADATA_MAX_AGE_MS: {
    schema: count(500, 3_600_000, 30_000),
    what: 'Milliseconds until added partitions are noticed',
  },
  LEASE_MS: {
    schema: count(1_000, 600_000, 60_000),
    what: 'Milliseconds a planned batch may be inserted without planning anew',
  },
  DEDUP_WINDOW_BLOCKS: { schema: count(100, 1_000_000, 10_000), what: 'Tokens each table remembers (`migrate`)' },
  OUTAGE_MAX_MS: {
    schema: count(1_000, 86_400_000, 600_000),
    what: 'Milliseconds a server may be away before a classifier gives up',
  },
  STOP_TIMEOUT_MS: { schema: count(100, 600_000, 10_000), what: 'Milliseconds a stop may take; then exit code 1' },
  READY_LAG_MAX_S: {
    schema: count(0, 31_536_000, 900),
    what: 'Seconds a message may wait to be stored before /readyz says no; 0: any time',
  },
  HTTP_PORT: { schema: count(0, 65_535, 0), what: 'Port of /metrics, /healthz and /readyz; 0 chooses a free one' },
  HTTP_HOST: { schema: text.default('127.0.0.1'), what: 'Address that port listens on' },
  ...alertVariables,
  LOG_LEVEL: {
    schema: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
    what: 'trace, debug, info, warn, error or silent',
  },
  LOG_FORMAT: { schema: z.enum(['json', 'pretty']).default('json'), what: 'json or pretty' },
} as const satisfies Record<string, Variable<unknown>>

export type VariableName = keyof typeof variables
export type Settings<N extends VariableName> = { [K in N]: z.output<(typeof variables)[K]['schema']> }

const ourPrefixes = /^(KAFKA|CLICKHOUSE|SCHEMA_REGISTRY|ALERT)_/
/** Set by ClickHouse's and Kafka's own scripts and by our compose file; not ours to judge. */
const foreign =
  /^(KAFKA_(HOME|CLUSTER_ID|JMX_PORT|[A-Z0-9_]*OPTS)|CLICKHOUSE_(PIPELINE|STEWARD|ANALYST)_PASSWORD(_SHA256)?|CLICKHOUSE_(DB|CONFIG|SKIP|DEFAULT|DO_NOT|ALWAYS|UID|GID|RUN|WATCHDOG|TZ)[A-Z0-9_]*)$/

/** Reads the named variables. Empty text counts as not set. Throws one mistake that lists all. */
export function readSettings<N extends VariableName>(env: NodeJS.ProcessEnv, names: readonly N[]): Settings<N> {
  const faults: string[] = []
  const settings: Record<string, unknown> = {}
  for (const name of names) {
    const value = env[name] === '' ? undefined : env[name]
    const parsed = (variables[name].schema as z.ZodType).safeParse(value)
    if (parsed.success) {
      settings[name] = parsed.data
    } else if (value === undefined) {
      faults.push(`${name} is not set: ${variables[name].what}`)
    } else {
      const secret = 'secret' in variables[name] ? '' : ` is "${shown(value)}"`
      faults.push(`${name}${secret}: ${parsed.error.issues.map((issue) => issue.message).join('; ')}`)
    }
  }
  for (const name of Object.keys(env)) {
    if (ourPrefixes.test(name) && !foreign.test(name) && !(name in variables)) {
      faults.push(`${name} is not a setting of Intent Ledger; the table in README.md lists them`)
    }
  }
  if (faults.length > 0) {
    throw mistake(
      `the environment has ${faults.length === 1 ? 'a mistake' : `${faults.length} mistakes`}:\n${faults.map((fault) => `  ${fault}`).join('\n')}`,
      'config_invalid',
    )
  }
  return settings as Settings<N>
}

/** A value as a sentence may repeat it: an address may carry a password in front of its host or behind a question mark. */
function shown(value: string): string {
  const open = value.replace(/\/\/.*@/s, '//...@').replace(/([?#]).*$/s, '$1...')
  return open.length > shownMax ? `${open.slice(0, shownMax)}...` : open
}
const shownMax = 100

export const kafkaVariables = [
  'KAFKA_BROKERS',
  'KAFKA_SSL',
  'KAFKA_SSL_CA_FILE',
  'KAFKA_SASL_MECHANISM',
  'KAFKA_SASL_USERNAME',
  'KAFKA_SASL_PASSWORD',
] as const satisfies readonly VariableName[]

export function kafkaSettings(settings: Settings<(typeof kafkaVariables)[number]>, clientId: string): KafkaSettings {
  const mechanism = settings.KAFKA_SASL_MECHANISM
  // Half a protection would be none, and silently so.
  if (!settings.KAFKA_SSL && settings.KAFKA_SSL_CA_FILE !== undefined) {
    throw mistake('KAFKA_SSL_CA_FILE is set, so KAFKA_SSL must be true', 'config_invalid')
  }
  if (mechanism === undefined && settings.KAFKA_SASL_USERNAME !== undefined) {
    throw mistake('KAFKA_SASL_USERNAME is set, so KAFKA_SASL_MECHANISM must be set too', 'config_invalid')
  }
  if (
    mechanism !== undefined &&
    (settings.KAFKA_SASL_USERNAME === undefined || settings.KAFKA_SASL_PASSWORD === undefined)
  ) {
    throw mistake(
      'KAFKA_SASL_MECHANISM is set, so KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD must be set too',
      'config_invalid',
    )
  }
  return {
    brokers: settings.KAFKA_BROKERS,
    clientId,
    ssl: settings.KAFKA_SSL,
    sslCaFile: settings.KAFKA_SSL_CA_FILE,
    sasl:
      mechanism === undefined
        ? undefined
        : { mechanism, username: settings.KAFKA_SASL_USERNAME!, password: settings.KAFKA_SASL_PASSWORD! },
  }
}

export const clickHouseVariables = [
  'CLICKHOUSE_URL',
  'CLICKHOUSE_SSL_CA_FILE',
  'CLICKHOUSE_USER',
  'CLICKHOUSE_PASSWORD',
] as const satisfies readonly VariableName[]

/** `role` is the user when none is named. */
export function clickHouseSettings(
  settings: Settings<(typeof clickHouseVariables)[number]>,
  role: string,
): ClickHouseConnection {
  if (settings.CLICKHOUSE_SSL_CA_FILE !== undefined && !/^https:/i.test(settings.CLICKHOUSE_URL)) {
    throw mistake('CLICKHOUSE_SSL_CA_FILE is set, so CLICKHOUSE_URL must begin with https://', 'config_invalid')
  }
  return {
    url: settings.CLICKHOUSE_URL,
    user: settings.CLICKHOUSE_USER ?? role,
    password: settings.CLICKHOUSE_PASSWORD,
    sslCaFile: settings.CLICKHOUSE_SSL_CA_FILE,
  }
}

/** The database of the views for people that belongs to a database of tables. */
export function viewsDatabase(database: string): string {
  return database.replace(/^intent_ledger/, 'intent_ledger_views')
}
