/** The verb on a real Kafka: what four topics hold, decoded by avro-js, is what the model draws without a server. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import avro from 'avro-js'

import { defaultSettings } from '../../../services/producer/ecosystem/facts.ts'
import { drawHousehold, type DrawnHousehold } from '../../../services/producer/ecosystem/household.ts'
import { ecosystemStreams, type EcosystemStream } from '../../../services/producer/ecosystem/population.ts'
import type { EcosystemSummary, SentToStream } from '../../../services/producer/ecosystem/simulate-ecosystem.ts'
import { products } from '../../../services/producer/population.ts'
import { dayMs } from '../../../services/producer/traffic.ts'
import { streams } from '../../../services/shared/domain/streams.ts'
import { headerBytes, schemaIdOf } from '../../../services/shared/domain/wire.ts'
import { pseudonym } from '../../../services/shared/io/pseudonym.ts'
import { waitUntilDrained } from '../../support/assert-exact.ts'
import { auditCase, type AuditCase } from '../../support/audit-case.ts'
import { cliEnvironment, runCli, startCli } from '../../support/cli.ts'
import { uniqueName } from '../../support/stack.ts'
import { readTopicLog } from '../../support/topic-log.ts'

const schemas: Record<EcosystemStream, { id: number; file: string }> = {
  'ecosystem-orders': { id: 3, file: 'ecosystem-order/v1.avsc' },
  'device-activations': { id: 4, file: 'device-activation/v1.avsc' },
  'experiment-arms': { id: 5, file: 'experiment-arm/v1.avsc' },
  'assistant-intents': { id: 2, file: 'assistant-intent-event/v2.avsc' },
}
const seed = 31
const households = 120

interface Decoded {
  readonly eventId: Buffer
  readonly household: Buffer
  readonly occurredAt: number
}

test('simulate-ecosystem', async (t) => {
  const prefix = `${uniqueName('ecosystem')}-`
  const cases = new Map<string, AuditCase>()
  for (const stream of streams) {
    // The requests are six to ten years old, too.
    const env = { BATCH_ROWS_MAX: '5000', EVENT_AGE_MAX_DAYS: '7305' }
    cases.set(stream.name, await auditCase(t, { stream, topic: prefix + stream.name, partitions: 2, env }))
  }
  const { kafka, stack } = cases.get('ecosystem-orders')!
  const env = { ...cliEnvironment(stack), KAFKA_TOPIC_PREFIX: prefix }
  const folder = await mkdtemp(join(tmpdir(), 'intent-ledger-ecosystem-'))
  t.after(() => rm(folder, { recursive: true }))

  await t.test('says which topic is not there, and writes no truth', async () => {
    const truthFile = join(folder, 'none.json')
    const run = await runCli(['simulate-ecosystem', '--households', '10', '--truth', truthFile], {
      ...env,
      KAFKA_TOPIC_PREFIX: `no-${prefix}`,
    })
    assert.equal(run.code, 1)
    assert.ok(run.stderr.includes(`no-${prefix}ecosystem-orders`), run.stderr)
    assert.doesNotMatch(run.stderr, /\n {4}at /)
    assert.deepEqual(await readdir(folder), [])
  })

  const readAll = async <T extends Decoded>(stream: EcosystemStream) => {
    const { id, file } = schemas[stream]
    const type = avro.parse(JSON.parse(readFileSync(join(import.meta.dirname, '../../../schemas', file), 'utf8')))
    const log = await readTopicLog(kafka, prefix + stream, '')
    return log.partitions.map((messages) =>
      messages.map(({ key, value }) => {
        assert.equal(schemaIdOf(value), id)
        const event = type.fromBuffer(value!.subarray(headerBytes)) as T
        assert.deepEqual(key, Buffer.from(event.household))
        return event
      }),
    )
  }

  await t.test('sends what the model draws, each topic in the order of time, and says how much', async () => {
    const truthFile = join(folder, 'truth.json')
    const words = ['--households', households, '--seed', seed, '--duplicates', 0.03, '--format', 'json'].map(String)
    const run = await runCli(['simulate-ecosystem', ...words, '--truth', truthFile], env)
    assert.equal(run.code, 0, run.stderr)
    const summary = JSON.parse(run.stdout) as EcosystemSummary
    const truth = JSON.parse(readFileSync(truthFile, 'utf8')) as object
    assert.deepEqual(truth, { seed, sent: summary.sent, ...summary.truth })

    const drawn = Array.from({ length: households }, (_, index) => drawHousehold(seed, index, defaultSettings))
    const householdKey = Buffer.from(stack.secrets.householdKey, 'hex')
    const rawId = (index: number) => `simulated/ecosystem/${seed}/household/${index}`
    const keys = drawn.map((_, index) => pseudonym(householdKey, rawId(index)).toString('hex'))

    /** First copies by household, in the order of the log; what is sent twice is counted. */
    const firstCopies = async <T extends Decoded>(stream: EcosystemStream) => {
      const ofHousehold = new Map<string, T[]>()
      const seen = new Set<string>()
      let copies = 0
      for (const partition of await readAll<T>(stream)) {
        let last = 0
        for (const event of partition) {
          const id = Buffer.from(event.eventId).toString('hex')
          if (seen.has(id)) {
            copies += 1
            continue
          }
          seen.add(id)
          assert.equal(parseInt(id.slice(0, 12), 16), event.occurredAt)
          assert.ok(event.occurredAt >= last, `${stream} goes back in time`)
          last = event.occurredAt
          const household = Buffer.from(event.household).toString('hex')
          ofHousehold.set(household, [...(ofHousehold.get(household) ?? []), event])
        }
      }
      assert.deepEqual({ events: seen.size, duplicates: copies }, summary.sent[stream])
      assert.ok([...ofHousehold.keys()].every((key) => keys.includes(key)))
      return keys.map((key) => ofHousehold.get(key) ?? [])
    }
    const without = ({ eventId: _eventId, household: _household, ...rest }: Decoded) => rest
    const expect = (pick: (household: DrawnHousehold) => readonly object[]) => drawn.map((one) => pick(one))
    /** avro-js gives its records prototypes of their own. */
    const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

    assert.deepEqual(
      plain((await firstCopies('ecosystem-orders')).map((orders) => orders.map(without))),
      expect(({ orders }) => orders.map(({ place: _place, kind: _kind, causedBy: _causedBy, ...order }) => order)),
    )
    assert.deepEqual(
      plain((await firstCopies('experiment-arms')).map((arms) => arms.map(without))),
      expect(({ arms }) => arms.map(({ place: _place, ...arm }) => arm)),
    )
    assert.deepEqual(
      plain(
        (await firstCopies<Decoded & { device: Buffer }>('device-activations')).map((rows) =>
          rows.map((row) => ({ ...without(row), device: Buffer.from(row.device).toString('hex') })),
        ),
      ),
      drawn.map(({ devices }, index) =>
        devices.map(({ device, occurredAt, returned }) => ({
          ...{ occurredAt, returned, product: device.product, deviceModel: device.model },
          ...{ country: 'US', currency: 'USD', activatedOn: Math.floor(device.activatedAt / dayMs) },
          ...{ pricePaidMicros: device.priceMicros, costOfGoodsMicros: device.costMicros },
          device: pseudonym(householdKey, `${rawId(index)}/device/${device.place}`).toString('hex'),
        })),
      ),
    )

    type Request = Decoded & { device: Buffer; product: string; activatedOn: number; plans: string[] }
    const requests = await firstCopies<Request>('assistant-intents')
    requests.forEach((own, index) => {
      for (const request of own) {
        const { devices } = drawn[index]!
        const device = devices.find(
          (row) =>
            !row.returned &&
            pseudonym(householdKey, `${rawId(index)}/device/${row.device.place}`).equals(Buffer.from(request.device)),
        )!.device
        assert.equal(request.product, device.product)
        assert.equal(request.activatedOn, Math.floor(device.activatedAt / dayMs))
        assert.ok(request.occurredAt > device.activatedAt && request.occurredAt < device.returnedAt)
      }
    })
    const asked = (product: string) => requests.flat().filter((request) => request.product === product).length
    for (const product of products) {
      assert.equal(summary.truth!.products[product].requestsSent, asked(product))
      const caused = drawn.reduce(
        (sum, { truth: own }) => sum + own.products[product].causedMicros.reduce((total, micros) => total + micros, 0),
        0,
      )
      assert.equal(summary.truth!.products[product].causedMarginMicros, caused)
    }
    assert.ok(asked('echo') > 100)
  })

  await t.test('the classifiers accept every event and know every second copy', async () => {
    const { sent } = JSON.parse(readFileSync(join(folder, 'truth.json'), 'utf8')) as Pick<EcosystemSummary, 'sent'>
    const fates = async (stream: EcosystemStream) => {
      const { clickHouse, database, ...work } = cases.get(stream)!
      const classifier = work.startProcess()
      await waitUntilDrained([await work.readLog()], { clickHouse, database, check: () => classifier.assertAlive() })
      await classifier.stop()
      return clickHouse.rows<SentToStream & { rejected: number }>(
        `SELECT toUInt32(sum(accepted)) AS events, toUInt32(sum(duplicate)) AS duplicates,
             toUInt32(sum(rejected)) AS rejected
           FROM ${database}.ingest_batches`,
      )
    }
    for (const stream of ecosystemStreams) {
      assert.deepEqual(await fates(stream), [{ ...sent[stream], rejected: 0 }], stream)
      const { clean, differences } = await cases.get(stream)!.audit()
      assert.ok(clean, JSON.stringify(differences))
    }
  })

  await t.test('Ctrl-C: what was sent is counted, and there is no truth', async () => {
    const count = async (stream: EcosystemStream) => (await readAll(stream)).flat().length
    const before = await Promise.all(ecosystemStreams.map(count))
    const truthFile = join(folder, 'cut.json')
    const words = ['--households', '20000', '--seed', '32', '--format', 'json', '--truth', truthFile]
    const running = startCli(['simulate-ecosystem', ...words], env)
    await running.said('quarters: ')
    running.child.kill('SIGINT')
    const run = await running.ended
    assert.equal(run.code, 130, run.stderr)
    const summary = JSON.parse(run.stdout) as EcosystemSummary
    assert.ok(summary.interrupted && summary.truth === undefined)
    const after = await Promise.all(ecosystemStreams.map(count))
    assert.deepEqual(
      after.map((messages, place) => messages - before[place]!),
      ecosystemStreams.map((stream) => summary.sent[stream].events + summary.sent[stream].duplicates),
    )
    assert.ok(!existsSync(truthFile))
    assert.deepEqual(await readdir(folder), ['truth.json'])
  })
})
