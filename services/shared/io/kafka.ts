import { readFileSync } from 'node:fs'
import { connect } from 'node:net'

import kafkajs from 'kafkajs'
import type { Consumer, EachBatchPayload, Kafka, KafkaConfig, KafkaMessage, Producer, SASLOptions } from 'kafkajs'

import { messageOf, PipelineError } from '../domain/faults.ts'
import { installCodecs } from './kafka-record-codecs.ts'
import type { Logger } from './log.ts'

export type { Consumer, EachBatchPayload, Kafka, KafkaMessage, Producer }

export interface KafkaSettings {
  readonly brokers: readonly string[]
  readonly clientId: string
  readonly ssl: boolean
  /** Path of a PEM file with the certificate authority, when it is not one the system trusts. */
  readonly sslCaFile?: string | undefined
  readonly sasl?:
    { mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'; username: string; password: string } | undefined
}

/**
 * A kafkajs client. Its own log lines go to our logger, one level lower: what matters of them comes back as an error,
 * and that is logged by whoever handles it.
 */
export function createKafka(settings: KafkaSettings, log: Logger): Kafka {
  silenceNegativeTimerWarning()
  installCodecs()
  const config: KafkaConfig = {
    brokers: [...settings.brokers],
    clientId: settings.clientId,
    connectionTimeout: 3_000,
    requestTimeout: 30_000,
    retry: { initialRetryTime: 100, maxRetryTime: 3_000, retries: 8 },
    logLevel: kafkajs.logLevel.WARN,
    logCreator: () => (entry) => {
      log.debug({ kafka: entry.log.message, namespace: entry.namespace }, 'kafka client said')
    },
  }
  if (settings.ssl) {
    config.ssl = settings.sslCaFile === undefined ? true : { ca: [readFileSync(settings.sslCaFile, 'utf8')] }
  }
  if (settings.sasl !== undefined) {
    config.sasl = { ...settings.sasl } as SASLOptions
  }
  return new kafkajs.Kafka(config)
}

/** Makes one clear sentence of what kafkajs threw. A refused login or grant is final; everything else may pass. */
export function kafkaFault(doing: string, thrown: unknown): PipelineError {
  if (thrown instanceof PipelineError) {
    return thrown
  }
  const message = messageOf(thrown)
  const refused = /SASL|authenticat|authoriz|not supported|unknown topic/i.test(message)
  return new PipelineError(`${doing}: ${message}`, {
    code: refused ? 'kafka_refused' : 'kafka_unreachable',
    retryable: !refused,
    cause: thrown,
  })
}

/** Whether Kafka said for certain that this member no longer belongs to the group, so that nothing of the call was done. */
export function isMembershipRefusal(thrown: unknown): boolean {
  const type = thrown instanceof Error && 'type' in thrown ? thrown.type : undefined
  return (
    type === 'REBALANCE_IN_PROGRESS' ||
    type === 'UNKNOWN_MEMBER_ID' ||
    type === 'ILLEGAL_GENERATION' ||
    type === 'FENCED_INSTANCE_ID'
  )
}

/** kafkajs waits for a negative time in one place; Node warns of it once a process, and it is harmless. */
let warningSilenced = false
function silenceNegativeTimerWarning(): void {
  if (warningSilenced) {
    return
  }
  warningSilenced = true
  const emit = process.emitWarning.bind(process) as (...args: unknown[]) => void
  process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
    const name = typeof rest[0] === 'string' ? rest[0] : warning instanceof Error ? warning.name : undefined
    if (name !== 'TimeoutNegativeWarning') {
      emit(warning, ...rest)
    }
  }
}

/** murmur2 over the key, as the Java client; named, so that kafkajs does not warn of its changed default. */
export const defaultPartitioner = kafkajs.Partitioners.DefaultPartitioner

const answerTimeoutMs = 3_000

/**
 * Opens and closes one connection to any of the brokers, so that a closed port is said at once; kafkajs would try for 12 s first.
 * Throws one sentence with every broker and why it did not answer.
 */
export async function assertBrokerAnswers(brokers: readonly string[]): Promise<void> {
  const attempts = brokers.map((broker) => {
    const [host, port] = broker.split(':')
    return new Promise<void>((resolve, reject) => {
      const socket = connect({ host: host!, port: Number(port), timeout: answerTimeoutMs })
      const refuse = (why: string) => {
        socket.destroy()
        reject(new Error(`${broker} (${why})`))
      }
      socket.once('connect', () => {
        socket.destroy()
        resolve()
      })
      socket.once('timeout', () => refuse(`no answer within ${answerTimeoutMs} ms`))
      socket.once('error', (thrown) => refuse((thrown as NodeJS.ErrnoException).code ?? messageOf(thrown)))
    })
  })
  await Promise.any(attempts).catch((thrown: unknown) => {
    throw new PipelineError(`no Kafka broker answers: ${messageOf(thrown)}; check KAFKA_BROKERS`, {
      code: 'kafka_unreachable',
      retryable: true,
      cause: thrown,
    })
  })
}
