import type { Command } from 'commander'

import { assistantIntents } from '../shared/domain/assistant-intents.ts'
import { mistake } from '../shared/domain/faults.ts'
import type { ClickHouse } from '../shared/io/clickhouse.ts'
import { confirm } from '../shared/io/confirm.ts'
import type { KafkaAdmin } from '../shared/io/kafka-admin.ts'
import type { Kafka } from '../shared/io/kafka.ts'
import type { Logger } from '../shared/io/log.ts'
import { formatNumber } from '../shared/io/render.ts'
import { shareDimensions } from '../shared/io/flag-kinds.ts'
import { createStore } from '../shared/pipeline/store.ts'
import { dropReplay, findManifest, findReplay, listReplays } from './catalogue.ts'
import { diffReplays } from './diff-run.ts'
import { parseDiffFlags, parseDropFlags, parseListFlags, parseRunFlags, parseVerifyFlags } from './flags.ts'
import { liveName, readReplayName, replayDatabase } from './names.ts'
import { printList, printVerification } from './print.ts'
import { printDiff } from './print-diff.ts'
import { offsetsIn } from './ranges.ts'
import { replayRun } from './replay-run.ts'
import { verifyLive, verifyReplay, type VerifyDeps } from './verify.ts'

/** What the command line gives to the verbs of replays. */
export interface ReplayContext {
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream
  readonly log: Logger
  environment(role: 'pipeline'): NodeJS.ProcessEnv
  clickHouse(role: 'pipeline' | 'steward'): Promise<{ client: ClickHouse; database: string }>
  kafka(stream: string): Promise<{ kafka: Kafka; admin: KafkaAdmin; topic: string; group: string }>
}

const formatFlag = ['--format <format>', 'table or json (default table)'] as const

export function registerReplay(program: Command, context: ReplayContext): void {
  const replay = program
    .command('replay')
    .description('The same log again, under another definition, in tables of its own')
    .addHelpText('after', '\nExample:\n  npx intent-ledger replay run next_year --taxonomy 2')
  registerRun(replay, context)
  registerVerify(replay, context)
  registerList(replay, context)
  registerDrop(replay, context)
  registerDiff(replay, context)
}

function registerRun(replay: Command, context: ReplayContext): void {
  replay
    .command('run')
    .description(
      'Replay a closed part of the log into tables of its own; the same command goes on after a kill, or joins',
    )
    .argument('<name>', 'lower case letters, digits and _, at most 31')
    .option(
      '--from <bound>',
      'first offsets as 0:100,1:250, or a time of Kafka records, UTC (default: as early as it goes)',
    )
    .option('--to <bound>', 'ends, not included, as offsets or a time (default: where the log ends now)')
    .option('--taxonomy <version>', 'taxonomy that classes the events (default TAXONOMY_VERSION)')
    .option('--source <source...>', 'where the log is read: kafka, or archive and its folder (default kafka)')
    .option('--processes <n>', 'processes that share the work (default 1: this one)')
    .option('--rate <n>', 'offsets a second at most, all processes together (default: as fast as it goes)')
    .option(
      '--with-parent <part>',
      'this is a part of so many processes, as 2/4: stop when standard input closes, and leave the manifest to the parent',
    )
    .option(...formatFlag)
    .addHelpText(
      'after',
      '\nLive tables are only read. The range is fixed when the replay begins; at its end a manifest with a digest is printed.' +
        '\nExit code 130: stopped before the end.\n\nExample:\n  npx intent-ledger replay run next_year --taxonomy 2 --processes 2' +
        '\n  npx intent-ledger replay run of_old --source archive log-archive',
    )
    .action((given: string, flags: unknown) => replayRun(readReplayName(given), parseRunFlags(flags), context))
}

function registerVerify(replay: Command, context: ReplayContext): void {
  replay
    .command('verify')
    .description('Work out the digest of a finished replay anew, or of the live tables over its range, and compare')
    .argument('<name>', 'a replay, or live')
    .option('--like <name>', 'with live: the replay whose range and manifest are meant')
    .option(...formatFlag)
    .addHelpText(
      'after',
      '\nExit code 1: something differs.\n\nExamples:\n  npx intent-ledger replay verify next_year' +
        '\n  npx intent-ledger replay verify live --like same_again',
    )
    .action(async (given: string, flags: unknown) => {
      const { like, format } = parseVerifyFlags(flags)
      const isLive = given === liveName
      if (isLive !== (like !== undefined)) {
        throw mistake(
          isLive
            ? 'replay verify live needs --like and the name of a replay: its range is looked at'
            : 'replay verify: --like goes with live only',
        )
      }
      const name = readReplayName(like ?? given)
      const { client, database: live } = await context.clickHouse('pipeline')
      const manifest = await findManifest(client, name)
      const deps = depsOf(client, isLive ? live : replayDatabase(name))
      const verification = await (isLive ? verifyLive : verifyReplay)(manifest, deps)
      context.stdout.write(printVerification(verification, format))
      if (verification.faults.length > 0) {
        process.exitCode = 1
      }
    })
}

function registerList(replay: Command, context: ReplayContext): void {
  replay
    .command('list')
    .description('The replays there are, how far each has come, and their digests')
    .option(...formatFlag)
    .addHelpText('after', '\nExample:\n  npx intent-ledger replay list')
    .action(async (flags: unknown) => {
      const { format } = parseListFlags(flags)
      const { client } = await context.clickHouse('pipeline')
      const storeOf = (database: string) => depsOf(client, database).store
      context.stdout.write(printList(await listReplays({ clickHouse: client, storeOf }), format))
    })
}

function registerDrop(replay: Command, context: ReplayContext): void {
  replay
    .command('drop')
    .description(
      'Remove a replay: its tables, its views and its consumer group; nothing else, and never the live tables',
    )
    .argument('<name>', 'a replay')
    .option('--yes', 'do not ask')
    .addHelpText('after', '\nRuns as user steward.\n\nExample:\n  npx intent-ledger replay drop next_year --yes')
    .action(async (given: string, flags: unknown) => {
      const { yes } = parseDropFlags(flags)
      const name = readReplayName(given)
      const { client: steward } = await context.clickHouse('steward')
      const definition = await findReplay(steward, name)
      if (!yes && !process.stdin.isTTY) {
        throw mistake('replay drop removes tables and there is no terminal to ask on: add --yes')
      }
      const what = `replay ${name} of ${formatNumber(offsetsIn(definition.ranges))} offsets of ${definition.topic}`
      if (!yes && !(await confirm(context.stderr, `drop ${what}?`))) {
        process.exitCode = 1
        return
      }
      const admin = definition.source === 'kafka' ? (await context.kafka(assistantIntents.name)).admin : undefined
      await dropReplay(definition, { steward, admin })
      context.stdout.write(`dropped ${what}\n`)
    })
}

function registerDiff(replay: Command, context: ReplayContext): void {
  replay
    .command('diff')
    .description('The shares of two replays of one range, or of one and live: difference, interval, and what moved it')
    .argument('<before>', 'a replay, or live')
    .argument('<after>', 'a replay, or live')
    .option('--by <dimensions>', `comma list of ${shareDimensions.join(', ')}; or none (default none)`)
    .option('--format <format>', 'table, json or csv (default table)')
    .addHelpText(
      'after',
      '\nThe interval is paired by bucket of households. What the intents add is the difference exactly.' +
        '\n\nExample:\n  npx intent-ledger replay diff live next_year --by product',
    )
    .action(async (before: string, after: string, flags: unknown) => {
      const { by, format } = parseDiffFlags(flags)
      const { client, database } = await context.clickHouse('pipeline')
      const deps = { clickHouse: client, liveDatabase: database, depsOf: (of: string) => depsOf(client, of) }
      context.stdout.write(printDiff(await diffReplays({ before, after, by }, deps), format))
    })
}

function depsOf(client: ClickHouse, database: string): VerifyDeps {
  const stream = assistantIntents
  return { clickHouse: client, database, stream, store: createStore({ clickHouse: client, database, stream }) }
}
