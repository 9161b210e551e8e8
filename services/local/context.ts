import { assistantIntents } from '../shared/domain/assistant-intents.ts'
import { createClickHouse, type ClickHouse } from '../shared/io/clickhouse.ts'
import { connectKafkaAdmin, type KafkaAdmin } from '../shared/io/kafka-admin.ts'
import { assertBrokerAnswers, createKafka, type Kafka, type KafkaSettings } from '../shared/io/kafka.ts'
import { createLogger, type Logger } from '../shared/io/log.ts'
import {
  clickHouseSettings,
  clickHouseVariables,
  kafkaSettings,
  kafkaVariables,
  readSettings,
  variables,
} from '../shared/io/settings.ts'
import { chosenStream, streamVariables, type ChosenStream } from '../shared/io/stream-settings.ts'
import { resolveEnvironment, type Role } from './session.ts'

/** What the command line gives to every service's verbs: streams, the log, and endpoints by role, asked for when needed. */
export interface CliContext {
  readonly env: NodeJS.ProcessEnv
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream
  readonly log: Logger
  /** The environment a verb of this role works with: the caller's, or the running local stack's. */
  environment(role: Role): NodeJS.ProcessEnv
  /** For a producer; `topicOf` is where a stream's messages go. */
  endpoints(): Promise<{
    kafka: KafkaSettings
    topic: string
    topicOf: (stream: string) => string
    householdKey: Buffer
  }>
  clickHouse(role: Role): Promise<{ client: ClickHouse; database: string }>
  /** Of the named stream, or the one that `STREAM` says. */
  kafka(stream?: string): Promise<{ kafka: Kafka; admin: KafkaAdmin } & ChosenStream>
  /** Closes what was opened. */
  close(): Promise<void>
}

const common = ['LOG_LEVEL', 'LOG_FORMAT'] as const

export function createContext(env: NodeJS.ProcessEnv, streams: Pick<CliContext, 'stdout' | 'stderr'>): CliContext {
  const opened: { close(): Promise<void> }[] = []
  // Before any setting is checked: a level that is none is reported, with all other mistakes, by the verb that reads settings.
  const level = variables.LOG_LEVEL.schema.safeParse(env['LOG_LEVEL'] || 'warn')
  const log = createLogger({
    service: 'cli',
    level: level.data ?? 'warn',
    pretty: env['LOG_FORMAT'] === 'pretty',
  })
  const environment = (role: Role) => resolveEnvironment(env, role)

  return {
    env,
    ...streams,
    log,
    environment,
    async endpoints() {
      const settings = readSettings(environment('pipeline'), [
        ...common,
        ...kafkaVariables,
        ...streamVariables,
        'HOUSEHOLD_KEY',
      ])
      const kafka = kafkaSettings(settings, 'intent-ledger')
      await assertBrokerAnswers(kafka)
      return {
        kafka,
        topic: chosenStream(settings, assistantIntents.name).topic,
        topicOf: (stream) => chosenStream(settings, stream).topic,
        householdKey: Buffer.from(settings.HOUSEHOLD_KEY, 'hex'),
      }
    },
    clickHouse(role) {
      const settings = readSettings(environment(role), [...common, ...clickHouseVariables, 'CLICKHOUSE_DATABASE'])
      const client = createClickHouse({ ...clickHouseSettings(settings, role), requestTimeoutMs: 300_000 })
      opened.push(client)
      return Promise.resolve({ client, database: settings.CLICKHOUSE_DATABASE })
    },
    async kafka(stream) {
      const settings = readSettings(environment('pipeline'), [...common, ...kafkaVariables, ...streamVariables])
      const connection = kafkaSettings(settings, 'intent-ledger')
      await assertBrokerAnswers(connection)
      const kafka = createKafka(connection, log)
      const admin = await connectKafkaAdmin(kafka)
      opened.push(admin)
      return { kafka, admin, ...chosenStream(settings, stream) }
    },
    async close() {
      for (const one of opened.splice(0).reverse()) {
        await one.close()
      }
    },
  }
}
