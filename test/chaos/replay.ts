/**
 * A replay under random kills: `node test/chaos/replay.ts [--kills <n>] [--seed <n>] [--events <n>]`. Replayers and ClickHouse are
 * killed by SIGKILL, the same command is given again until it ends, and the digest must be that of the live tables.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { z } from 'zod'

import { createRandom } from '../../services/producer/random.ts'
import { startStack, type LocalStack } from '../../services/local/stack.ts'
import { createClickHouse } from '../../services/shared/io/clickhouse.ts'
import { cliEnvironment, cliFile, runCli } from '../support/cli.ts'
import { checkFlags, parseFlags } from '../support/flags.ts'

const command = 'node test/chaos/replay.ts'
const given = parseFlags(command, process.argv.slice(2), {
  kills: { type: 'string' },
  seed: { type: 'string' },
  events: { type: 'string' },
})
const count = z.coerce.number().int().min(1)
const options = checkFlags(
  command,
  z.object({
    kills: count.default(20),
    seed: count.default(() => Date.now() % 1_000_000),
    events: count.default(200_000),
  }),
  given ?? {},
)
const random = createRandom(options.seed)
const say = (line: string) => process.stdout.write(`${line}\n`)
const small = { SESSION_TIMEOUT_MS: '3000', METADATA_MAX_AGE_MS: '1000', BATCH_ROWS_MAX: '500', LOG_LEVEL: 'error' }
const name = 'killed'

if (given === undefined) {
  say(`${command} [--kills <n>] [--seed <n>] [--events <n>]`)
} else {
  process.exitCode = await main()
}

async function main(): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), 'intent-ledger-replay-kills-'))
  const stack = await startStack({ dataDir: folder })
  const env = { ...cliEnvironment(stack), ...small }
  try {
    await done(['migrate'], env)
    await done(
      ['simulate', '--events', String(options.events), '--duplicates=0.02', '--malformed=0.01', '--seed=1'],
      env,
    )
    const classifier = start(['classify'], { ...env, BATCH_ROWS_MAX: '100000' })
    await untilStored(stack, 'intent_ledger', options.events)
    classifier.kill('SIGTERM')
    await once(classifier, 'exit')
    const killed = await killAtRandom(stack, env)
    const { code, stdout } = await runCli(['replay', 'verify', 'live', '--like', name], env)
    say(
      `seed ${options.seed}: killed ${killed.commands} commands, ${killed.children} of their children, ClickHouse ${killed.servers} times`,
    )
    say(stdout.trimEnd())
    return code ?? 1
  } finally {
    await stack.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

/**
 * Kills until all kills are spent, then lets the replay end. One to three processes, drawn anew each time; a kill falls after some
 * batches of this very run, at the command itself or at one of its children.
 */
async function killAtRandom(stack: LocalStack, env: Record<string, string>) {
  const killed = { commands: 0, children: 0, servers: 0 }
  const client = createClickHouse({
    ...{ url: stack.clickhouseUrl, user: 'pipeline', password: stack.secrets.pipelinePassword },
  })
  const batches = async () => {
    const rows = await client
      .rows<{ batches: number }>(`SELECT count() AS batches FROM intent_ledger_replay_${name}.ingest_batches`)
      .catch(() => [])
    return rows[0]?.batches ?? 0
  }
  for (;;) {
    const isLast = killed.commands + killed.children + killed.servers >= options.kills
    const before = await batches()
    const replay = start(['replay', 'run', name, '--processes', String(random.integer(1, 3))], env)
    const ended = once(replay, 'exit') as Promise<[number | null]>
    const until = async (more: number) => {
      while (replay.exitCode === null && (await batches()) < before + more) {
        await sleep(30)
      }
    }
    if (isLast) {
      const [code] = await ended
      await client.close()
      if (code !== 0) {
        throw new Error(`the last run ended with ${code}`)
      }
      return killed
    }
    await until(random.integer(1, 6))
    await sleep(random.unit() * 300)
    if (random.chance(0.3)) {
      await stack.clickhouse.kill('SIGKILL')
      killed.servers += 1
      await sleep(random.unit() * 1_000)
      await stack.clickhouse.start()
      await until(random.integer(6, 9))
    }
    if (replay.exitCode === 0) {
      throw new Error('the replay was over before the kills were: give it more --events')
    }
    // A command that found ClickHouse away at its start has ended with a sentence.
    if (replay.exitCode === null) {
      const children = childrenOf(replay.pid!)
      const child = children[random.integer(0, children.length)]
      process.kill(child ?? replay.pid!, 'SIGKILL')
      killed[child === undefined ? 'commands' : 'children'] += 1
    }
    await ended
  }
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
  return text === '' ? [] : text.split(' ').map(Number)
}

function start(words: readonly string[], env: Record<string, string>): ChildProcess {
  const { PATH, HOME } = process.env
  return spawn(process.execPath, [cliFile, ...words], {
    env: { PATH, HOME, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
}

async function done(words: readonly string[], env: Record<string, string>): Promise<void> {
  const { code, stderr } = await runCli(words, env)
  if (code !== 0) {
    throw new Error(`${words[0]}: ${stderr}`)
  }
}

async function untilStored(stack: LocalStack, database: string, events: number): Promise<void> {
  const client = createClickHouse({
    ...{ url: stack.clickhouseUrl, user: 'pipeline', password: stack.secrets.pipelinePassword },
  })
  for (let before = -1; ; await sleep(1_000)) {
    const [row] = await client.rows<{ held: number }>(
      `SELECT sum(accepted + duplicate + rejected) AS held FROM ${database}.ingest_batches`,
    )
    // The malformed and the copies come on top, and their number is drawn.
    if (row!.held >= events && row!.held === before) {
      return client.close()
    }
    before = row!.held
  }
}
