import { registerReports, type ReportContext } from '../../services/report/commands.ts'
import { assistantIntents } from '../../services/shared/domain/assistant-intents.ts'
import { createClickHouse } from '../../services/shared/io/clickhouse.ts'
import { createKafka } from '../../services/shared/io/kafka.ts'
import { createLogger } from '../../services/shared/io/log.ts'
import type { PipelineCase } from './pipeline-case.ts'
import { collectSaid, parseHere } from './said.ts'

interface Answer {
  readonly stdout: string
  readonly exitCode: string | number | null | undefined
}

/** The report verbs through the command line's own parser, in this process. */
export function reportVerbs(work: PipelineCase, t: { after(clean: () => Promise<void>): void }) {
  const { stack, database, admin, topic, group } = work
  const log = createLogger({ service: 'test', level: 'silent', pretty: false })
  const login = (role: 'analyst' | 'pipeline' | 'steward') =>
    createClickHouse({ url: stack.clickhouseUrl, user: role, password: stack.secrets[`${role}Password`] })
  const clients = { analyst: login('analyst'), pipeline: login('pipeline'), steward: login('steward') }
  t.after(async () => {
    await Promise.all(Object.values(clients).map((client) => client.close()))
  })
  const kafka = createKafka({ brokers: stack.kafkaBrokers, clientId: 'test', ssl: false }, log)
  return async (...words: string[]): Promise<Answer> => {
    const { said, streams } = collectSaid()
    const context: ReportContext = {
      ...{ env: {}, ...streams, log },
      clickHouse: (role) => Promise.resolve({ client: clients[role], database }),
      kafka: () => Promise.resolve({ kafka, admin, stream: assistantIntents, topic, group }),
    }
    const exitCode = await parseHere((program) => registerReports(program, context), words)
    return { stdout: said.stdout, exitCode }
  }
}
