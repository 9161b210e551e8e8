import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  clickHouseSettings,
  clickHouseVariables,
  kafkaSettings,
  kafkaVariables,
  readSettings,
  variables,
  viewsDatabase,
  type VariableName,
} from '../../../../services/shared/io/settings.ts'

const names = Object.keys(variables) as VariableName[]
const needed = { KAFKA_BROKERS: 'kafka:9092', CLICKHOUSE_URL: 'http://clickhouse:8123', HOUSEHOLD_KEY: '0f'.repeat(16) }

function complaint(env: Record<string, string>, asked: readonly VariableName[] = names): string {
  try {
    readSettings(env, asked)
  } catch (thrown) {
    assert.equal((thrown as { code?: string }).code, 'config_invalid')
    return (thrown as Error).message
  }
  assert.fail('nothing was refused')
}

test('has a default for everything but brokers, ClickHouse and the household key', () => {
  const settings = readSettings(needed, names)
  assert.deepEqual(settings.KAFKA_BROKERS, ['kafka:9092'])
  assert.equal(settings.STREAM, 'assistant-intents')
  assert.equal(settings.KAFKA_TOPIC, undefined)
  assert.equal(settings.KAFKA_SSL, false)
  assert.equal(settings.CLICKHOUSE_USER, undefined)
  assert.equal(settings.CLICKHOUSE_PASSWORD, '')
  assert.equal(settings.CLICKHOUSE_DATABASE, 'intent_ledger')
  assert.equal(settings.TAXONOMY_VERSION, 1)
  assert.equal(settings.DUPLICATE_WINDOW_OFFSETS, 200_000)
  assert.equal(settings.HTTP_HOST, '127.0.0.1')
  assert.equal(settings.LOG_LEVEL, 'info')
})

test('reads numbers, flags and lists', () => {
  const settings = readSettings(
    { ...needed, KAFKA_BROKERS: 'a:1, b:65535', KAFKA_SSL: 'true', BATCH_ROWS_MAX: '10' },
    names,
  )
  assert.deepEqual(settings.KAFKA_BROKERS, ['a:1', 'b:65535'])
  assert.equal(settings.KAFKA_SSL, true)
  assert.equal(settings.BATCH_ROWS_MAX, 10)
})

test('takes empty text for not set', () => {
  assert.equal(
    readSettings({ ...needed, CLICKHOUSE_DATABASE: '', SCHEMA_REGISTRY_URL: '' }, names).CLICKHOUSE_DATABASE,
    'intent_ledger',
  )
  assert.match(complaint({ ...needed, CLICKHOUSE_URL: '' }), /CLICKHOUSE_URL is not set: ClickHouse over HTTP/)
})

test('reports all mistakes together, each with its name and what is wrong', () => {
  const message = complaint({
    CLICKHOUSE_URL: 'clickhouse:8123',
    KAFKA_PARTITIONS: 'four',
    LOG_LEVEL: 'loud',
    KAFKA_BROKER: 'a:1',
  })
  const lines = message.split('\n')
  assert.equal(lines[0], 'the environment has 6 mistakes:')
  assert.equal(lines.length, 7)
  for (const part of [
    /^ {2}KAFKA_BROKERS is not set: Kafka brokers, host:port/,
    /^ {2}KAFKA_PARTITIONS is "four": /,
    /^ {2}CLICKHOUSE_URL is "clickhouse:8123": must be http:\/\/host:port/,
    /^ {2}HOUSEHOLD_KEY is not set/,
    /^ {2}LOG_LEVEL is "loud": /,
    /^ {2}KAFKA_BROKER is not a setting of Intent Ledger; the table in README.md lists them/,
  ]) {
    assert.ok(
      lines.some((line) => part.test(line)),
      `${part.source} in ${message}`,
    )
  }
})

test('says "a mistake" of one', () => {
  assert.match(complaint({ ...needed, KAFKA_SSL: 'yes' }), /^the environment has a mistake:\n {2}KAFKA_SSL is "yes"/)
})

test('never prints a secret, neither its own nor one inside a URL', () => {
  const secret = 'hunter2hunter2'
  const message = complaint({
    HOUSEHOLD_KEY: secret,
    CLICKHOUSE_URL: `htp://me:${secret}@clickhouse:8123`,
    SCHEMA_REGISTRY_URL: `https://me:a@${secret}@registry/?token=${secret}`,
    KAFKA_SASL_PASSWORD: secret,
    SCHEMA_REGISTRY_PASSWORD: secret,
    CLICKHOUSE_PASSWORD: secret,
    CLICKHOUSE_PASWORD: secret,
  })
  assert.doesNotMatch(message, /hunter2/)
  assert.match(message, /HOUSEHOLD_KEY: must be 16 to 64 bytes in hex/)
  assert.match(message, /CLICKHOUSE_PASWORD is not a setting/)
})

test('marks every password and key as secret', () => {
  for (const [name, variable] of Object.entries(variables)) {
    assert.equal('secret' in variable, /PASSWORD|_KEY$/.test(name), name)
  }
})

test('looks only at the variables that are asked for, and at unknown ones with our prefixes', () => {
  assert.deepEqual(readSettings({ HTTP_PORT: 'none', HOME: '/' }, ['STREAM']), {
    STREAM: 'assistant-intents',
  })
  for (const name of ['KAFKA_TOPICS', 'KAFKA_SASL_USER', 'CLICKHOUSE_USERNAME', 'SCHEMA_REGISTRY_TOKEN']) {
    assert.match(complaint({ [name]: 'x' }, []), new RegExp(`${name} is not a setting`))
  }
})

test('leaves alone what the scripts of Kafka and ClickHouse set', () => {
  const theirs = [
    'KAFKA_HEAP_OPTS',
    'KAFKA_CLUSTER_ID',
    'CLICKHOUSE_DB',
    'CLICKHOUSE_SKIP_USER_SETUP',
    'CLICKHOUSE_STEWARD_PASSWORD',
  ]
  assert.deepEqual(readSettings(Object.fromEntries(theirs.map((name) => [name, 'x'])), []), {})
})

for (const [name, below, low, high, above] of [
  ['KAFKA_PARTITIONS', '0', '1', '10000', '10001'],
  ['TAXONOMY_VERSION', '0', '1', '65535', '65536'],
  ['DUPLICATE_WINDOW_OFFSETS', '0', '1', '10000000', '10000001'],
  ['EVENT_BYTES_MAX', '63', '64', '10000000', '10000001'],
  ['BATCH_ROWS_MAX', '0', '1', '500000', '500001'],
  ['HTTP_PORT', '-1', '0', '65535', '65536'],
] as const) {
  test(`takes ${name} from ${low} to ${high}, whole numbers only`, () => {
    for (const value of [low, high]) {
      assert.equal(readSettings({ [name]: value }, [name])[name], Number(value))
    }
    for (const value of [below, above, '1.5', '10 rows', 'NaN']) {
      assert.match(complaint({ [name]: value }, [name]), new RegExp(`${name} is "${value}"`))
    }
  })
}

for (const [name, value, fits] of [
  ['KAFKA_BROKERS', 'kafka', false],
  ['KAFKA_BROKERS', 'kafka:9092,', false],
  ['KAFKA_BROKERS', 'http://kafka:9092', false],
  ['CLICKHOUSE_URL', 'http://clickhouse:8123', true],
  ['CLICKHOUSE_URL', 'https://clickhouse:8443/', true],
  ['CLICKHOUSE_URL', 'http://me:word@clickhouse:8123', false],
  ['CLICKHOUSE_URL', 'http://clickhouse:8123/system', false],
  ['CLICKHOUSE_URL', 'http://clickhouse:8123?clickhouse_setting_async_insert=1', false],
  ['CLICKHOUSE_URL', 'file:///etc/passwd', false],
  ['SCHEMA_REGISTRY_URL', 'https://registry/api?key=1', false],
  ['CLICKHOUSE_DATABASE', 'intent_ledger_test_1', true],
  ['CLICKHOUSE_DATABASE', 'default', false],
  ['CLICKHOUSE_DATABASE', 'intent_ledger_views', false],
  ['CLICKHOUSE_DATABASE', 'intent_ledger; DROP', false],
  ['CLICKHOUSE_CLUSTER', 'main', true],
  ['CLICKHOUSE_CLUSTER', "main' x", false],
  ['KAFKA_TOPIC', 'a topic', false],
  ['HOUSEHOLD_KEY', 'ab'.repeat(15), false],
  ['HOUSEHOLD_KEY', 'AB'.repeat(64), true],
  ['HOUSEHOLD_KEY', 'ab'.repeat(65), false],
  ['HOUSEHOLD_KEY', 'xy'.repeat(16), false],
] as const) {
  test(`${fits ? 'takes' : 'refuses'} ${name} ${value.slice(0, 40)}`, () => {
    if (fits) {
      assert.equal(readSettings({ [name]: value }, [name])[name], value)
    } else {
      assert.match(complaint({ [name]: value }, [name]), new RegExp(name))
    }
  })
}

test('wants user and password when a SASL mechanism is set, and passes them on', () => {
  const read = (env: Record<string, string>) =>
    kafkaSettings(readSettings({ KAFKA_BROKERS: 'a:1', ...env }, kafkaVariables), 'me')
  assert.equal(read({}).sasl, undefined)
  assert.throws(
    () => read({ KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'u' }),
    /KAFKA_SASL_PASSWORD must be set too/,
  )
  assert.deepEqual(
    read({ KAFKA_SASL_MECHANISM: 'scram-sha-256', KAFKA_SASL_USERNAME: 'u', KAFKA_SASL_PASSWORD: 'p' }).sasl,
    { mechanism: 'scram-sha-256', username: 'u', password: 'p' },
  )
})

test('refuses half a protection: an authority without TLS, a user without a mechanism', () => {
  const kafka = (env: Record<string, string>) => () =>
    kafkaSettings(readSettings({ KAFKA_BROKERS: 'a:1', ...env }, kafkaVariables), 'me')
  assert.throws(kafka({ KAFKA_SSL_CA_FILE: 'ca.pem' }), /so KAFKA_SSL must be true/)
  assert.throws(kafka({ KAFKA_SASL_USERNAME: 'me' }), /so KAFKA_SASL_MECHANISM must be set too/)
  const clickHouse = (env: Record<string, string>) =>
    clickHouseSettings(readSettings({ CLICKHOUSE_SSL_CA_FILE: 'ca.pem', ...env }, clickHouseVariables), 'analyst')
  assert.throws(() => clickHouse({ CLICKHOUSE_URL: 'http://c:8123' }), /CLICKHOUSE_URL must begin with https:/)
  assert.deepEqual(clickHouse({ CLICKHOUSE_URL: 'https://c:8443', CLICKHOUSE_PASSWORD: 'p' }), {
    ...{ url: 'https://c:8443', user: 'analyst', password: 'p', sslCaFile: 'ca.pem' },
  })
})

test('repeats no more than 100 characters of a value', () => {
  assert.ok(complaint({ KAFKA_TOPIC: '!'.repeat(5_000) }, ['KAFKA_TOPIC']).length < 400)
})

test('keeps the views of each database in a database of its own', () => {
  assert.equal(viewsDatabase('intent_ledger'), 'intent_ledger_views')
  assert.equal(viewsDatabase('intent_ledger_test_1'), 'intent_ledger_views_test_1')
})
