import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

import { createEventEncoder } from '../../services/shared/io/avro.ts'
import { waitUntilDrained } from './assert-exact.ts'
import { cliEnvironment, startCli, type CliRun, type RunningCli } from './cli.ts'
import { pipelineCase, type PipelineCase } from './pipeline-case.ts'
import { latestSchema, schemaWithRoom, startRegistry } from './schema-registry.ts'
import { someEvent } from './some-events.ts'
import { runVerbHere } from './verb-here.ts'

const entry = join(import.meta.dirname, 'stopping-redrive.ts')

/** The schema id that nobody has registered yet; the shipped one is 7. */
export const unknownId = 9

/** A pipeline case whose events came under a schema that the registry gets only later. */
export interface RedriveCase extends PipelineCase {
  /** Framed values of that schema, each once. */
  values(count: number): Buffer[]
  /** Returns what takes it back. */
  register(): () => void
  /** Lets a classifier settle the log as it is, then stops it. One that comes after has not heard of a schema before. */
  settle(): Promise<void>
  /** Any verb, in this process. */
  verb(words: readonly string[], env?: Record<string, string>): Promise<CliRun>
  redrive(words?: readonly string[]): Promise<Redriven>
  /** `redrive` in a process of its own that may stop itself, see `stopping-redrive.ts`. */
  startRedrive(env?: Record<string, string>): RunningCli
  /** How often each of the values stands in the log now. */
  standing(values: readonly Buffer[]): Promise<number[]>
  count(table: string, where?: string): Promise<number>
}

export interface Redriven {
  readonly finished: boolean
  readonly candidates: number
  readonly before: number
  readonly sent: number
  readonly stay: number
  readonly settled: { readonly sent: number; readonly not_sent: number; readonly unknown: number }
  readonly rows: readonly { readonly detail: string; readonly reason: string | null; readonly messages: number }[]
}

export async function redriveCase(
  t: TestContext,
  options: { partitions?: number; env?: Record<string, string> } = {},
): Promise<RedriveCase> {
  const schemas = new Map<number, unknown>([[7, latestSchema]])
  const registry = await startRegistry(t, schemas)
  const work = await pipelineCase(t, { ...options, env: { SCHEMA_REGISTRY_URL: registry.url, ...options.env } })
  const encoder = createEventEncoder({ schemaId: unknownId, schema: schemaWithRoom })
  const environment = {
    ...cliEnvironment(work.stack, 'pipeline'),
    ...{ KAFKA_TOPIC: work.topic, KAFKA_GROUP: work.group, CLICKHOUSE_DATABASE: work.database },
    ...{ SCHEMA_REGISTRY_URL: registry.url, ...options.env },
  }
  const started: RunningCli[] = []
  t.after(async () => {
    await Promise.all(
      started.map(async ({ child, ended }) => {
        child.kill('SIGKILL')
        await ended
      }),
    )
  })
  const verb: RedriveCase['verb'] = (words, env = {}) => runVerbHere(words, { ...environment, ...env })
  return {
    ...work,
    verb,
    values: (count) => Array.from({ length: count }, () => encoder.encode(someEvent())),
    register() {
      schemas.set(unknownId, schemaWithRoom)
      return () => void schemas.delete(unknownId)
    },
    async settle() {
      const classifier = work.startInProcess({ REJECTED_ROWS_MIN: '1000000' })
      await waitUntilDrained([await work.readLog()], { ...work, check: classifier.assertAlive })
      await classifier.stop()
    },
    async redrive(words = []) {
      const { code, stdout, stderr } = await verb([
        ...['redrive', '--reason', 'unknown_schema', '--format', 'json'],
        ...words,
      ])
      assert.equal(code, 0, stderr)
      return JSON.parse(stdout) as Redriven
    },
    startRedrive(env = {}) {
      const words = ['redrive', '--reason', 'unknown_schema', '--format', 'json']
      const running = startCli(words, { ...environment, ...env }, entry)
      started.push(running)
      return running
    },
    async standing(values) {
      const counts = new Map<string, number>()
      for (const { value } of (await work.readLog()).partitions.flat()) {
        const text = value?.toString('hex') ?? ''
        counts.set(text, (counts.get(text) ?? 0) + 1)
      }
      return values.map((value) => counts.get(value.toString('hex')) ?? 0)
    },
    async count(table, where = '1') {
      const [row] = await work.clickHouse.rows<{ rows: number }>(
        `SELECT count() AS rows FROM ${work.database}.${table} WHERE ${where}`,
      )
      return row!.rows
    },
  }
}
