import { randomInt } from 'node:crypto'
import { readFile, stat, writeFile } from 'node:fs/promises'

import type { Command } from 'commander'

import { messageOf, mistake } from '../shared/domain/faults.ts'
import { readAuditedSamples } from '../shared/io/audited-samples.ts'
import type { ClickHouse } from '../shared/io/clickhouse.ts'
import { readSettings } from '../shared/io/settings.ts'
import { drawSample } from './draw.ts'
import { dropAudit } from './drop.ts'
import { loadAudit } from './load.ts'
import { parseDrawOptions, parseDropOptions, parseListOptions, parseLoadOptions } from './options.ts'
import { printFaults, printLoading, printSamples } from './print.ts'
import { writeSampleFile } from './sample-file.ts'

/** What the command line gives to these verbs. */
export interface AuditedContext {
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream
  environment(role: 'pipeline'): NodeJS.ProcessEnv
  clickHouse(role: 'analyst' | 'pipeline' | 'steward'): Promise<{ client: ClickHouse; database: string }>
}

export function registerAudited(program: Command, context: AuditedContext): void {
  const audited = program
    .command('audited')
    .description('Events whose class people have checked: shares are corrected by them (`audit` is about lost events)')
    .addHelpText('after', '\nExample:\n  npx intent-ledger audited list')
  registerDraw(audited, context)
  registerLoad(audited, context)
  registerList(audited, context)
  registerDrop(audited, context)
}

const formatFlag = ['--format <format>', 'table or json (default table)'] as const
const drawnHelp = 'random; by-strict-label or by-broad-label: half that the classifier calls so, half others'
const exitCodeBadLines = 2
const fileBytesMax = 64 * 1024 * 1024
/** Above such a part of all households, those that ask much are drawn too seldom. */
const householdsPartMax = 0.1

function registerDraw(audited: Command, context: AuditedContext): void {
  audited
    .command('draw')
    .description('Draw events for people to check, one a household, into a CSV file with an empty true_class')
    .argument('<events>', 'how many; for a share of 1 % 1,000 or more')
    .argument('<file>', 'a new file')
    .requiredOption('--drawn <way>', drawnHelp)
    .option('--from <day>', 'first day, UTC (default: all)')
    .option('--to <day>', 'last day, included')
    .option('--seed <n>', 'same seed and rows, same events (default: drawn and printed)')
    .addHelpText(
      'after',
      '\nA rare share needs fewer events by its label: a random sample of 1,000 holds ten of a share of 1 %.' +
        '\n\nExample:\n  npx intent-ledger audited draw 1000 to-check.csv --drawn by-strict-label',
    )
    .action(async (events: string, file: string, given: object) => {
      const options = parseDrawOptions({ events, ...given })
      await assertNew(file)
      const { TAXONOMY_VERSION } = readSettings(context.environment('pipeline'), ['TAXONOMY_VERSION'])
      const { client, database } = await context.clickHouse('pipeline')
      const seed = options.seed ?? randomInt(2 ** 31)
      context.stderr.write(`drawing from all events, seed ${seed}\n`)
      const drawn = await drawSample(client, database, {
        ...{ events: options.events, drawn: options.drawn, seed, taxonomyVersion: TAXONOMY_VERSION },
        ...{ from: options.from ?? null, to: options.to ?? null },
      })
      await writeFile(file, writeSampleFile(drawn.events), { flag: 'wx', mode: 0o600 }).catch((thrown: unknown) => {
        throw mistake(`${file} can't be written: ${messageOf(thrown)}`, 'file_invalid')
      })
      if (options.events > drawn.households * householdsPartMax) {
        context.stderr.write(
          `these are more than a tenth of the ${drawn.households} households: those that ask much are drawn too seldom\n`,
        )
      }
      context.stdout.write(
        `${options.events} events of as many households, drawn ${options.drawn} with seed ${seed}: ${file}\n` +
          `fill in true_class, then: npx intent-ledger audited load ${file} --name NAME --drawn ${options.drawn}\n`,
      )
    })
}

function registerLoad(audited: Command, context: AuditedContext): void {
  audited
    .command('load')
    .description('Load a CSV file of event_id and true_class that people filled in; all of it or nothing')
    .argument('<file>', 'the file')
    .requiredOption('--name <audit>', 'name of the audit; one of that name is replaced')
    .requiredOption('--drawn <way>', drawnHelp)
    .option('--dry-run', 'check all lines, load nothing')
    .option(...formatFlag)
    .addHelpText(
      'after',
      '\nThe latest audit that can correct a share does. Exit code 2: some lines are wrong, and nothing was loaded.' +
        '\n\nExample:\n  npx intent-ledger audited load to-check.csv --name spring --drawn by-strict-label --dry-run',
    )
    .action(async (file: string, given: object) => {
      const { name, drawn, dryRun, format } = parseLoadOptions(given)
      const text = await readText(file)
      const { client, database } = await context.clickHouse('pipeline')
      const onProgress = (done: number, total: number) => {
        context.stderr.write(`\raudited load: looked up ${done} of ${total} events${done === total ? '\n' : ''}`)
      }
      const loading = await loadAudit(
        { file, text, audit: name, drawn },
        { clickHouse: client, database, dryRun, nowMs: Date.now(), onProgress },
      )
      context.stderr.write(printFaults(loading.faults))
      context.stdout.write(printLoading(loading, { dryRun, format }))
      if (loading.faults.length > 0) {
        process.exitCode = exitCodeBadLines
      }
    })
}

function registerList(audited: Command, context: AuditedContext): void {
  audited
    .command('list')
    .description('The audits that are loaded, how far people and the classifier agreed, and which are used')
    .option(...formatFlag)
    .addHelpText('after', '\nExample:\n  npx intent-ledger audited list --format json')
    .action(async (given: object) => {
      const { format } = parseListOptions(given)
      const { client, database } = await context.clickHouse('analyst')
      context.stdout.write(printSamples(await readAuditedSamples(client, database), format))
    })
}

function registerDrop(audited: Command, context: AuditedContext): void {
  audited
    .command('drop')
    .description('Take an audit out again: shares are corrected by the one before it, or not at all')
    .argument('<audit>', 'its name')
    .addHelpText('after', '\nRuns as user steward.\n\nExample:\n  npx intent-ledger audited drop spring')
    .action(async (given: string) => {
      const { audit } = parseDropOptions({ audit: given })
      const { client, database } = await context.clickHouse('steward')
      const events = await dropAudit(client, database, audit)
      context.stdout.write(`${audit} is dropped: ${events} events\n`)
    })
}

async function assertNew(file: string): Promise<void> {
  const there = await stat(file).catch(() => undefined)
  if (there !== undefined) {
    throw mistake(`${file} is there already; name a new file`, 'file_invalid')
  }
}

async function readText(file: string): Promise<string> {
  const unreadable = (thrown: unknown) => mistake(`${file} can't be read: ${messageOf(thrown)}`, 'file_invalid')
  const { size } = await stat(file).catch((thrown: unknown) => {
    throw unreadable(thrown)
  })
  if (size > fileBytesMax) {
    throw mistake(`${file} has ${size} bytes; an audit may have ${fileBytesMax}`, 'file_invalid')
  }
  return await readFile(file, 'utf8').catch((thrown: unknown) => {
    throw unreadable(thrown)
  })
}
