/** The whole path over TLS with a login at Kafka and an authority of one's own, what a wrong one says, and what each Kafka user may do. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import kafkajs from 'kafkajs'
import type { Admin } from 'kafkajs'

import { openTransactions } from '../../../services/shared/io/kafka-transactions.ts'
import { runCli, startCli, type CliRun } from '../../support/cli.ts'
import { secureStack, type KafkaUser } from '../../support/secure-stack.ts'

const topic = 'assistant-intents'
const group = 'intent-ledger-classifier'
const wrongPassword = 'hunter2hunter2'

test('over TLS', async (t) => {
  const secure = await secureStack(t, topic)
  const { environment, kafkaAs } = secure
  const producing = environment('producer', 'pipeline')
  const reading = environment('classifier', 'analyst')
  const simulate = ['simulate', '--events', '3000', '--days', '2', '--duplicates', '0.02', '--malformed', '0.02']

  await t.test('runs the whole path, each verb as the users that it needs and no other', async () => {
    await succeed(['migrate'], environment('migrator', 'pipeline'))
    await succeed(simulate, producing)
    const classifier = startCli(['classify'], { ...environment('classifier', 'pipeline'), GATHER_MAX_MS: '100' })
    t.after(() => classifier.child.kill('SIGKILL'))
    await classifier.said('batch settled')
    const audited = async () => {
      const run = await runCli(['audit'], environment('classifier', 'pipeline'))
      return run.stdout.includes('; 0 not yet read') ? run : undefined
    }
    let audit = await audited()
    for (let triesLeft = 20; audit === undefined && triesLeft > 0; triesLeft--) {
      audit = await audited()
    }
    assert.match(audit?.stdout ?? '', /audit: clean — 3,0\d\d offsets: /)
    classifier.child.kill('SIGTERM')
    assert.equal((await classifier.ended).code, 0)
    assert.match(await succeed(['share', '--by', 'none'], reading), /\d\.\d\d %/)
    const redriving = ['redrive', '--reason', 'unknown_schema']
    assert.match(await succeed(redriving, environment('redriver', 'pipeline')), /^redrive: 0 sent, \d+ would be/m)
    assert.match(await succeed(['repair', '--yes'], environment('steward', 'steward')), /nothing to repair/)
  })

  // The slow one: kafkajs takes a port that hangs up for a broker that is restarting, and tries for 12 s.
  const withoutTls = runCli(simulate, { ...producing, KAFKA_SSL: 'false', KAFKA_SSL_CA_FILE: '' })

  const at = (url: string) => url.replace('127.0.0.1', 'localhost')
  const brokers = producing['KAFKA_BROKERS']!
  const untrusted = /its certificate is not signed by an authority that is trusted here/
  const kafkaMistakes: [string, Record<string, string>, RegExp][] = [
    ['an authority that is a stranger', { KAFKA_SSL_CA_FILE: secure.strangerFile }, untrusted],
    ['no authority', { KAFKA_SSL_CA_FILE: '' }, untrusted],
    [
      'another host name',
      { KAFKA_BROKERS: at(brokers) },
      /localhost:\d+ \(its certificate is made out to another host/,
    ],
    [
      'a wrong user',
      { KAFKA_SASL_USERNAME: 'nobody' },
      /as user nobody: .*wrong user or password: check KAFKA_SASL_USER/,
    ],
    ['a wrong password', { KAFKA_SASL_PASSWORD: wrongPassword }, /wrong user or password: check .*KAFKA_SASL_PASSWORD/],
    ['a login of another kind', { KAFKA_SASL_MECHANISM: 'plain' }, /check KAFKA_SASL_MECHANISM/],
    ['no login', { KAFKA_SASL_MECHANISM: '', KAFKA_SASL_USERNAME: '' }, /check KAFKA_SSL and KAFKA_SASL_MECHANISM/],
  ]
  for (const [what, env, says] of kafkaMistakes) {
    await t.test(`says what is wrong with ${what} at Kafka, where, and which variable it is`, async () => {
      const port = brokers.split(':')[1]!
      assertRefused(await runCli(simulate, { ...producing, ...env }), [says, new RegExp(port), /KAFKA_/])
    })
  }

  const url = secure.clickhouseUrl
  const plainUrl = secure.stack.clickhouseUrl
  const clickHouseMistakes: [string, Record<string, string>, RegExp][] = [
    ['an authority that is a stranger', { CLICKHOUSE_SSL_CA_FILE: secure.strangerFile }, untrusted],
    ['no authority', { CLICKHOUSE_SSL_CA_FILE: '' }, untrusted],
    ['another host name', { CLICKHOUSE_URL: at(url) }, /at https:\/\/localhost:\d+ .* made out to another host name/],
    [
      'a wrong user',
      { CLICKHOUSE_USER: 'nobody' },
      /refused user nobody: wrong user or password; check CLICKHOUSE_USER/,
    ],
    ['a wrong password', { CLICKHOUSE_PASSWORD: wrongPassword }, /refused user analyst: wrong user or password/],
    ['a port without TLS', { CLICKHOUSE_URL: plainUrl.replace('http:', 'https:') }, /it does not speak TLS/],
  ]
  for (const [what, env, says] of clickHouseMistakes) {
    await t.test(`says what is wrong with ${what} at ClickHouse, where, and which variable it is`, async () => {
      const given = { ...reading, ...env }
      assertRefused(await runCli(['share'], given), [says, new RegExp(given['CLICKHOUSE_URL']!), /check CLICKHOUSE_/])
    })
  }

  await t.test('says so when Kafka is spoken to without TLS', async () => {
    assertRefused(await withoutTls, [/Closed connection; if it lasts, check KAFKA_SSL/])
  })

  await t.test('says what is not granted', async () => {
    const run = await runCli(simulate, environment('classifier', 'pipeline'))
    assertRefused(run, [/authorization failed; SECURITY\.md lists what each user must be granted/i])
  })

  const admin = async (user: KafkaUser, work: (asked: Admin) => Promise<unknown>) => {
    const client = kafkaAs(user).admin()
    await client.connect()
    try {
      await work(client)
    } finally {
      await client.disconnect()
    }
  }
  const write = async (user: KafkaUser) => {
    const client = kafkaAs(user).producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
    await client.connect()
    try {
      await client.send({ topic, messages: [{ value: 'x' }] })
    } finally {
      await client.disconnect()
    }
  }
  const read = async (user: KafkaUser, groupId: string, from = topic) => {
    const client = kafkaAs(user).consumer({
      groupId,
      retry: { retries: 0, restartOnFailure: () => Promise.resolve(false) },
    })
    const crashed = new Promise<never>((_, reject) => {
      client.on(client.events.CRASH, ({ payload }) => reject(payload.error))
    })
    const ended = Promise.withResolvers<void>()
    try {
      await client.connect()
      await client.subscribe({ topics: [from], fromBeginning: true })
      await client.run({ eachMessage: () => Promise.resolve(ended.resolve()), autoCommit: false })
      await Promise.race([ended.promise, crashed])
    } finally {
      await client.disconnect()
    }
  }
  const redrive = async (user: KafkaUser, name: string) => {
    const transactions = await openTransactions({ kafka: kafkaAs(user), topic, name })
    try {
      const transaction = await transactions.begin()
      const headers = { name: 'value' }
      await transaction.send(0, [{ key: null, value: Buffer.of(1), timestampMs: Date.now(), headers }])
      await transaction.commit()
    } finally {
      await transactions.close()
    }
  }
  const retention = {
    validateOnly: false,
    resources: [
      {
        type: kafkajs.ConfigResourceTypes.TOPIC,
        name: topic,
        configEntries: [{ name: 'retention.ms', value: '1' }],
      },
    ],
  }
  const itself = (user: string) => ({
    ...{ principal: `User:${user}`, host: '*', resourceName: topic },
    operation: kafkajs.AclOperationTypes.ALL,
    permissionType: kafkajs.AclPermissionTypes.ALLOW,
    resourceType: kafkajs.AclResourceTypes.TOPIC,
    resourcePatternType: kafkajs.ResourcePatternTypes.LITERAL,
  })
  const attempts: [KafkaUser, string, () => Promise<unknown>][] = [
    ['producer', 'reads', () => read('producer', 'mine')],
    [
      'producer',
      'sees how far the classifiers are',
      () => admin('producer', (asked) => asked.fetchOffsets({ groupId: group })),
    ],
    ['classifier', 'writes', () => write('classifier')],
    ['classifier', 'reads in another group', () => read('classifier', 'mine')],
    ['classifier', 'deletes its group', () => admin('classifier', (asked) => asked.deleteGroups([group]))],
    ['classifier', 'takes the name of a redrive', () => redrive('classifier', 'intent-ledger-redrive-x')],
    ['producer', 'takes the name of a redrive', () => redrive('producer', 'intent-ledger-redrive-x')],
    ['redriver', 'takes another name', () => redrive('redriver', 'another')],
    ['redriver', "reads in the classifiers' group", () => read('redriver', group)],
    ['steward', 'writes', () => write('steward')],
    ['steward', "joins the classifiers' group, where it could move their offsets", () => read('steward', group)],
    ['steward', "deletes the classifiers' group", () => admin('steward', (asked) => asked.deleteGroups([group]))],
    ['steward', 'reads another topic', () => read('steward', 'intent-ledger-reread-x', 'other')],
    ['migrator', 'writes', () => write('migrator')],
    ['migrator', 'reads', () => read('migrator', 'mine')],
    ...(['producer', 'classifier', 'redriver', 'steward', 'migrator'] as const).flatMap((user): typeof attempts => [
      [user, 'deletes the topic', () => admin(user, (asked) => asked.deleteTopics({ topics: [topic] }))],
      [user, 'makes another topic', () => admin(user, (asked) => asked.createTopics({ topics: [{ topic: 'mine' }] }))],
      [
        user,
        'deletes messages',
        () =>
          admin(user, async (asked) => {
            // kafkajs looks for the leaders only of topics that it was asked about before.
            await asked.fetchTopicOffsets(topic)
            await asked.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '1' }] })
          }),
      ],
      [user, 'changes how long messages are kept', () => admin(user, (asked) => asked.alterConfigs(retention))],
      [user, 'grants itself more', () => admin(user, (asked) => asked.createAcls({ acl: [itself(user)] }))],
    ]),
  ]
  const other = kafkaAs('broker').admin()
  await other.connect()
  await other.createTopics({ topics: [{ topic: 'other', numPartitions: 1 }] })
  await other.disconnect()
  for (const [user, what, attempt] of attempts) {
    await t.test(`refuses that the ${user} ${what}`, async () => {
      await assert.rejects(attempt(), (thrown: Error) => {
        // Whose group is refused, kafkajs finds no coordinator for; a topic that is not granted is not there.
        const said = everythingSaid(thrown)
        assert.match(said, /authori[sz]|find group coordinator|does not host this topic/i)
        return true
      })
    })
  }

  await t.test('lets the redriver send in transactions of its name', () =>
    redrive('redriver', 'intent-ledger-redrive-x'),
  )

  await t.test('left the log as it was', async () => {
    await admin('classifier', async (asked) => {
      const held = await asked.fetchTopicOffsets(topic)
      assert.equal(
        held.reduce((sum, { low }) => sum + Number(low), 0),
        0,
      )
      assert.ok(held.reduce((sum, { high }) => sum + Number(high), 0) > 3_000)
    })
    await read('steward', 'intent-ledger-reread-x')
  })
})

async function succeed(args: readonly string[], env: Record<string, string>): Promise<string> {
  const run = await runCli(args, env)
  assert.equal(run.code, 0, `${args[0]}: ${run.stderr}`)
  return run.stdout
}

function assertRefused(run: CliRun, says: readonly RegExp[]): void {
  assert.equal(run.code, 1, run.stderr)
  const lines = run.stderr.trim().split('\n')
  assert.equal(lines.length, 1, run.stderr)
  for (const pattern of says) {
    assert.match(run.stderr, pattern)
  }
  assert.doesNotMatch(run.stdout + run.stderr, /password-of-the-test|hunter2|PRIVATE KEY/)
}

/** kafkajs keeps what the broker said of each topic, partition and group in lists beside the message. */
function everythingSaid(thrown: unknown): string {
  if (!(thrown instanceof Error)) {
    return ''
  }
  const {
    errors = [],
    groups = [],
    partitions = [],
  } = thrown as {
    errors?: unknown[]
    groups?: { error?: unknown }[]
    partitions?: { error?: unknown }[]
  }
  const more = [...errors, ...groups.map(({ error }) => error), ...partitions.map(({ error }) => error), thrown.cause]
  return [thrown.message, ...more.map(everythingSaid)].join(' ')
}
