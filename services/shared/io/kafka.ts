import { connect, isIP } from 'node:net'
import { connect as connectTls } from 'node:tls'

import kafkajs from 'kafkajs'
import type { Consumer, EachBatchPayload, Kafka, KafkaConfig, KafkaMessage, Producer, SASLOptions } from 'kafkajs'
import Runner from 'kafkajs/src/consumer/runner.js'

import { messageOf, PipelineError } from '../domain/faults.ts'
import { certificateFault, readAuthority } from './certificates.ts'
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
  endFetchersOfStoppedConsumers()
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
    config.ssl = tlsOptions(settings)
  }
  if (settings.sasl !== undefined) {
    config.sasl = { ...settings.sasl } as SASLOptions
  }
  const kafka = new kafkajs.Kafka(config)
  const user = settings.sasl === undefined ? '' : ` as user ${settings.sasl.username}`
  addresses.set(kafka, `${settings.brokers.join(', ')}${user}`)
  return kafka
}

/** Where a client connects to, and as whom: for sentences. kafkajs itself says neither when it is refused. */
export function kafkaAddress(kafka: Kafka): string {
  return addresses.get(kafka) ?? 'Kafka'
}

const addresses = new WeakMap<Kafka, string>()

function tlsOptions({ sslCaFile }: Pick<KafkaSettings, 'sslCaFile'>): { ca?: string[] } {
  return sslCaFile === undefined ? {} : { ca: [readAuthority(sslCaFile, 'KAFKA_SSL_CA_FILE')] }
}

/**
 * Makes one clear sentence of what kafkajs threw. A refused login, grant or certificate is final; everything else may pass.
 * kafkajs never repeats a password.
 */
export function kafkaFault(doing: string, thrown: unknown): PipelineError {
  if (thrown instanceof PipelineError) {
    return thrown
  }
  const said = messageOf(thrown)
  const certificate = certificateFault(thrown)
  const refused = certificate !== undefined || /SASL|authenticat|authoriz|not supported|unknown topic/i.test(said)
  const message =
    certificate === undefined ? withHint(said) : `${brokerOf(thrown)}${certificate}; check KAFKA_SSL_CA_FILE`
  return new PipelineError(`${doing}: ${message}`, {
    code: refused ? 'kafka_refused' : 'kafka_unreachable',
    retryable: !refused,
    cause: thrown,
  })
}

/** Which setting to look at. What may pass by itself is said to be so: a broker that stops closes connections, too. */
const hints: readonly (readonly [RegExp, string])[] = [
  [/SASL.*mechanism( is not supported|$)/i, 'check KAFKA_SASL_MECHANISM'],
  [/SASL|authenticat/i, 'wrong user or password: check KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD'],
  [/authoriz/i, 'SECURITY.md lists what each user must be granted'],
  // kafkajs hides that the group is refused: https://kafka.apache.org/protocol#protocol_error_codes, 30.
  [
    /find group coordinator/i,
    'if it lasts, this user may not use the group: SECURITY.md lists what each must be granted',
  ],
  [/^closed connection$/i, 'if it lasts, check KAFKA_SSL and KAFKA_SASL_MECHANISM'],
]

function withHint(said: string): string {
  const hint = hints.find(([pattern]) => pattern.test(said))?.[1]
  return hint === undefined ? said : `${said}; ${hint}`
}

/** The one broker of several that a connection error speaks of. */
function brokerOf(thrown: unknown): string {
  for (let cause = thrown; cause instanceof Error; cause = cause.cause) {
    if ('broker' in cause && typeof cause.broker === 'string') {
      return `${cause.broker}: `
    }
  }
  return ''
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

/**
 * A consumer of kafkajs 2.2.4 that was stopped answers each fetch at once with nothing. Stopped while it makes its fetchers
 * anew, because a broker came or went, it leaves fetchers that ask for ever: the event loop starves, and the process takes
 * a whole core, sends no heartbeat and hears no signal. An error ends them.
 */
let fetchersEnd = false
function endFetchersOfStoppedConsumers(): void {
  if (fetchersEnd) {
    return
  }
  fetchersEnd = true
  const descriptor = Object.getOwnPropertyDescriptor(Runner.prototype, 'fetch')!
  const fetch = descriptor.value as Runner['fetch']
  Object.defineProperty(Runner.prototype, 'fetch', {
    ...descriptor,
    value(this: Runner, nodeId: number) {
      return this.running ? fetch.call(this, nodeId) : Promise.reject(new Error('the consumer was stopped'))
    },
  })
}

/** murmur2 over the key, as the Java client; named, so that kafkajs does not warn of its changed default. */
export const defaultPartitioner = kafkajs.Partitioners.DefaultPartitioner

const answerTimeoutMs = 3_000

/**
 * Opens and closes one connection to any of the brokers, so that a closed port or a certificate that is not to be trusted is
 * said at once; kafkajs would try for 12 s first. Throws one sentence with every broker and what is wrong with it.
 */
export async function assertBrokerAnswers(
  settings: Pick<KafkaSettings, 'brokers' | 'ssl' | 'sslCaFile'>,
): Promise<void> {
  const tls = settings.ssl ? tlsOptions(settings) : undefined
  await Promise.any(settings.brokers.map((broker) => openOnce(broker, tls))).catch((thrown: AggregateError) => {
    const isRefused = thrown.errors.every((error) => certificateFault(error) !== undefined)
    const check = isRefused ? 'KAFKA_SSL_CA_FILE, KAFKA_SSL and KAFKA_BROKERS' : 'KAFKA_BROKERS'
    throw new PipelineError(
      `no Kafka broker ${isRefused ? 'can be trusted' : 'answers'}: ${messageOf(thrown)}; check ${check}`,
      { code: isRefused ? 'kafka_refused' : 'kafka_unreachable', retryable: !isRefused, cause: thrown },
    )
  })
}

function openOnce(broker: string, tls: { ca?: string[] } | undefined): Promise<void> {
  const [host, port] = broker.split(':') as [string, string]
  return new Promise<void>((resolve, reject) => {
    const options = { host, port: Number(port), timeout: answerTimeoutMs }
    // The name is checked as kafkajs does: against the host, also when that is an address (which must not be sent as SNI).
    const socket =
      tls === undefined
        ? connect(options)
        : connectTls({ ...options, ...tls, ...(isIP(host) === 0 ? { servername: host } : {}) })
    const refuse = (why: string, cause?: unknown) => {
      socket.destroy()
      reject(new Error(`${broker} (${why})`, { cause }))
    }
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      socket.destroy()
      resolve()
    })
    socket.once('timeout', () => refuse(`no answer within ${answerTimeoutMs} ms`))
    socket.once('error', (thrown) => {
      const why = certificateFault(thrown) ?? (thrown as NodeJS.ErrnoException).code ?? messageOf(thrown)
      refuse(why, thrown)
    })
  })
}
