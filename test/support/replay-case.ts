import assert from 'node:assert/strict'

import { replayDatabase } from '../../services/replay/names.ts'
import { viewsDatabase } from '../../services/shared/io/settings.ts'
import { cliEnvironment, startCli, type CliRun, type RunningCli } from './cli.ts'
import { pipelineCase, type PipelineCase } from './pipeline-case.ts'
import { uniqueName } from './stack.ts'
import { runVerbHere } from './verb-here.ts'

/** A manifest as `--format json` prints it. */
export interface PrintedManifest {
  readonly digest: string
  readonly ranges: readonly { readonly partition: number; readonly first: number; readonly end: number }[]
  readonly counts: {
    readonly offsets: number
    readonly accepted: number
    readonly duplicate: number
    readonly noMessage: number
  }
  readonly schemas: Record<string, string>
}

/** A pipeline case with the verbs of replays as a person gives them, in processes of their own. */
export interface ReplayCase extends PipelineCase {
  /** A name that no other test has; its databases are dropped after the test. */
  name(): string
  /** Runs `replay` with these words, in this process. */
  replay(words: readonly string[], env?: Record<string, string>): Promise<CliRun>
  /** The same in a process of its own, which can be killed. */
  startReplay(words: readonly string[], env?: Record<string, string>): RunningCli
  /** `replay run`, which must succeed. */
  run(name: string, words?: readonly string[], env?: Record<string, string>): Promise<PrintedManifest>
  /** Asserts that the live tables over the range of a replay have its digest. */
  assertLikeLive(name: string): Promise<void>
}

/** As the classifiers of a pipeline case: a dead member is noticed soon. */
const quickly = {
  SESSION_TIMEOUT_MS: '2000',
  FETCH_WAIT_MS: '50',
  METADATA_MAX_AGE_MS: '1000',
  DEDUP_WINDOW_BLOCKS: '1000',
}

export async function replayCase(...[t, options = {}]: Parameters<typeof pipelineCase>): Promise<ReplayCase> {
  const names: string[] = []
  const started: RunningCli[] = []
  const held: { work?: PipelineCase } = {}
  // Before the case's own cleaning, which closes the clients.
  t.after(async () => {
    await Promise.all(
      started.map(async ({ child, ended }) => {
        child.kill('SIGKILL')
        await ended
      }),
    )
    for (const database of names.map(replayDatabase).flatMap((one) => [viewsDatabase(one), one])) {
      await held.work?.steward.command(`DROP DATABASE IF EXISTS ${database}`).catch(() => undefined)
    }
  })
  const work = await pipelineCase(t, options)
  held.work = work
  const environment = (role: 'pipeline' | 'steward', env: Record<string, string>) => ({
    ...cliEnvironment(work.stack, role),
    ...{ KAFKA_TOPIC: work.topic, KAFKA_GROUP: work.group, CLICKHOUSE_DATABASE: work.database },
    ...quickly,
    ...options.env,
    ...env,
  })
  const roleOf = ([verb]: readonly string[]) => (verb === 'drop' ? 'steward' : 'pipeline')
  const replay: ReplayCase['replay'] = (words, env = {}) =>
    runVerbHere(['replay', ...words], environment(roleOf(words), env))
  return {
    ...work,
    replay,
    name() {
      const name = uniqueName('r')
      names.push(name)
      return name
    },
    startReplay(words, env = {}) {
      const running = startCli(['replay', ...words], environment(roleOf(words), env))
      started.push(running)
      return running
    },
    async run(name, words = [], env = {}) {
      const { code, stdout, stderr } = await replay(['run', name, ...words, '--format', 'json'], env)
      assert.equal(code, 0, stderr)
      return JSON.parse(stdout) as PrintedManifest
    },
    async assertLikeLive(name) {
      const { code, stdout, stderr } = await replay(['verify', 'live', '--like', name])
      assert.equal(code, 0, `${stdout}${stderr}`)
    },
  }
}
