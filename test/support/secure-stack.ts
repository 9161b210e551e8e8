/**
 * A stack as production has it: Kafka takes TLS with a SCRAM login and has grants, ClickHouse stands behind a proxy that ends
 * TLS (the embedded one can't itself), and both have certificates of an authority of one's own.
 */
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { TestContext } from 'node:test'
import { createServer } from 'node:tls'
import { promisify } from 'node:util'

import kafkajs from 'kafkajs'
import type { AclEntry } from 'kafkajs'

import type { LocalStack } from '../../services/local/stack.ts'
import { createAuthority, type Certificate } from './certificates.ts'
import { ownStack } from './stack.ts'

export const kafkaUsers = ['migrator', 'producer', 'classifier', 'redriver', 'steward'] as const
export type KafkaUser = (typeof kafkaUsers)[number]

export interface SecureStack {
  readonly stack: LocalStack
  /** `https://127.0.0.1:port`. */
  readonly clickhouseUrl: string
  readonly authorityFile: string
  /** An authority that signed nothing here. */
  readonly strangerFile: string
  /** What a verb needs to reach both as these users. */
  readonly environment: (user: KafkaUser, role: 'pipeline' | 'steward' | 'analyst') => Record<string, string>
  /** A plain client, to try what a user may do. */
  readonly kafkaAs: (user: KafkaUser | 'broker') => kafkajs.Kafka
}

const infraFolder = join(import.meta.dirname, '../../infra/kafka')
const mechanism = 'scram-sha-512'

export async function secureStack(t: TestContext, topic: string): Promise<SecureStack> {
  const folder = await mkdtemp(join(tmpdir(), 'intent-ledger-tls-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const authority = createAuthority('Intent Ledger test authority')
  const authorityFile = join(folder, 'authority.pem')
  const strangerFile = join(folder, 'stranger.pem')
  // Made out to the address alone: `localhost` is then another host name.
  const broker = authority.issue({ name: 'broker', addresses: ['127.0.0.1'] })
  await writeFile(authorityFile, authority.certificate)
  await writeFile(strangerFile, createAuthority('a stranger').certificate)
  await writeFile(join(folder, 'broker.pem'), `${broker.key}${broker.certificate}`, { mode: 0o600 })

  const passwordOf = (user: KafkaUser | 'broker') => `${user}-password-of-the-test`
  const stack = await ownStack(t, {
    kafka: {
      overrides: await readProperties({ tlsFolder: folder, brokerPassword: passwordOf('broker') }),
      formatArguments: (['broker', ...kafkaUsers] as const).flatMap((user) => [
        '--add-scram',
        `SCRAM-SHA-512=[name=${user},password=${passwordOf(user)}]`,
      ]),
    },
  })
  const port = await endTls(
    t,
    Number(new URL(stack.clickhouseUrl).port),
    authority.issue({ name: 'clickhouse', addresses: ['127.0.0.1'] }),
  )

  const kafkaAs = (user: KafkaUser | 'broker') =>
    new kafkajs.Kafka({
      brokers: stack.kafkaBrokers,
      clientId: `test-${user}`,
      ssl: { ca: [authority.certificate] },
      sasl: { mechanism, username: user, password: passwordOf(user) },
      retry: { retries: 2, initialRetryTime: 100 },
      logLevel: kafkajs.logLevel.NOTHING,
    })
  await grantAsShipped(kafkaAs('broker'), topic)
  const clickhouseUrl = `https://127.0.0.1:${port}`
  return {
    ...{ stack, clickhouseUrl, authorityFile, strangerFile, kafkaAs },
    environment: (user, role) => ({
      KAFKA_BROKERS: stack.kafkaBrokers.join(','),
      KAFKA_TOPIC: topic,
      KAFKA_SSL: 'true',
      KAFKA_SSL_CA_FILE: authorityFile,
      KAFKA_SASL_MECHANISM: mechanism,
      KAFKA_SASL_USERNAME: user,
      KAFKA_SASL_PASSWORD: passwordOf(user),
      CLICKHOUSE_URL: clickhouseUrl,
      CLICKHOUSE_SSL_CA_FILE: authorityFile,
      CLICKHOUSE_USER: role,
      CLICKHOUSE_PASSWORD: stack.secrets[`${role}Password`],
      HOUSEHOLD_KEY: stack.secrets.householdKey,
    }),
  }
}

/** infra/kafka/secure.properties with our blanks filled in; the broker's own stay. */
async function readProperties(blanks: Record<string, string>): Promise<Record<string, string>> {
  const text = await readFile(join(infraFolder, 'secure.properties'), 'utf8')
  const lines = text.split('\n').filter((line) => /^[^#\s].*=/.test(line))
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf('=')
      return [
        line.slice(0, at),
        line.slice(at + 1).replace(/\$\{(\w+)\}/g, (blank, name: string) => blanks[name] ?? blank),
      ]
    }),
  )
}

/** A port that ends TLS and hands the bytes on to a plain one. */
async function endTls(t: TestContext, plainPort: number, { certificate, key }: Certificate): Promise<number> {
  const server = createServer({ cert: certificate, key }, (secure) => {
    const plain = connect(plainPort, '127.0.0.1')
    secure.pipe(plain).pipe(secure)
    secure.on('error', () => plain.destroy())
    plain.on('error', () => secure.destroy())
  })
  // A client that does not trust us goes away in the middle of the handshake.
  server.on('tlsClientError', () => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => void server.close())
  return (server.address() as AddressInfo).port
}

/**
 * Runs infra/kafka/acls.sh with a `kafka-acls.sh` of ours in the path, which prints its arguments, and grants just that by kafkajs:
 * Kafka's own tool is not among the embedded broker's jars.
 */
async function grantAsShipped(kafka: kafkajs.Kafka, topic: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'intent-ledger-acls-'))
  try {
    await writeFile(join(folder, 'kafka-acls.sh'), '#!/bin/sh\nprintf "%s " "$@"\necho\n', { mode: 0o755 })
    const { stdout } = await promisify(execFile)('sh', [join(infraFolder, 'acls.sh'), '--bootstrap-server', 'unused'], {
      env: { PATH: `${folder}${delimiter}${process.env['PATH']}`, KAFKA_TOPIC: topic },
    })
    const admin = kafka.admin()
    await admin.connect()
    await admin.createAcls({ acl: stdout.trim().split('\n').flatMap(readGrant) })
    await admin.disconnect()
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** One call of kafka-acls.sh. */
function readGrant(line: string): AclEntry[] {
  const words = line.trim().split(' ')
  const after = (flag: string) => words.flatMap((word, at) => (word === flag ? [words[at + 1]!] : []))
  const { TOPIC, GROUP, TRANSACTIONAL_ID } = kafkajs.AclResourceTypes
  const [resourceType, resourceName] = (
    [
      [TOPIC, '--topic'],
      [GROUP, '--group'],
      [TRANSACTIONAL_ID, '--transactional-id'],
    ] as const
  ).flatMap(([type, flag]) => after(flag).map((name) => [type, name] as const))[0]!
  return after('--operation').map((operation) => ({
    principal: after('--allow-principal')[0]!,
    host: '*',
    permissionType: kafkajs.AclPermissionTypes.ALLOW,
    operation: kafkajs.AclOperationTypes[operation.toUpperCase() as 'READ'],
    ...{ resourceType, resourceName },
    resourcePatternType: after('--resource-pattern-type').includes('prefixed')
      ? kafkajs.ResourcePatternTypes.PREFIXED
      : kafkajs.ResourcePatternTypes.LITERAL,
  }))
}
