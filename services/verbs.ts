import { Command, CommanderError } from 'commander'

import { createContext } from './local/context.ts'
import { messageOf, PipelineError } from './shared/domain/faults.ts'
import { productVersion } from './shared/io/product-version.ts'

const lingerMaxMs = 1_000
const lineCharactersMax = 1_000

/**
 * One command for everything; npm scripts are thin names for its verbs. Exit codes: 0 done, 1 a fault or a difference,
 * 2 bad lines or bad usage.
 */
export async function runVerb(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const context = createContext(env, { stdout: process.stdout, stderr: process.stderr })
  try {
    const program = await createProgram(context, argv[2])
    await program.parseAsync(argv)
  } catch (thrown) {
    process.exitCode = tell(thrown)
  } finally {
    await context.close().catch(() => undefined)
    // kafkajs can leave a socket behind when a consumer is stopped while it joins: the work is done, so it must not keep us.
    setTimeout(() => process.exit(), lingerMaxMs).unref()
  }
}

type Context = ReturnType<typeof createContext>

/** Services in the order of the help: a service's modules are loaded for its own verbs, and all of them for the help. */
const services: readonly {
  verbs: readonly string[]
  readonly load: () => Promise<(program: Command, context: Context) => void>
}[] = [
  {
    verbs: ['demo', 'demo-alerts', 'demo-impact', 'start', 'stack', 'migrate'],
    load: async () => (await import('./local/commands.ts')).registerLocal,
  },
  {
    verbs: ['simulate', 'simulate-ecosystem', 'import'],
    load: async () => (await import('./producer/commands.ts')).registerProducer,
  },
  { verbs: ['classify'], load: async () => (await import('./classifier/commands.ts')).registerClassify },
  {
    verbs: ['share', 'intents', 'rejected', 'export', 'audit', 'repair'],
    load: async () => (await import('./report/commands.ts')).registerReports,
  },
  { verbs: ['redrive'], load: async () => (await import('./redrive/commands.ts')).registerRedrive },
  { verbs: ['audited'], load: async () => (await import('./audited/commands.ts')).registerAudited },
  { verbs: ['replay'], load: async () => (await import('./replay/commands.ts')).registerReplay },
  { verbs: ['alerts'], load: async () => (await import('./alerts/commands.ts')).registerAlerts },
  { verbs: ['archive'], load: async () => (await import('./archive/commands.ts')).registerArchive },
  { verbs: ['impact'], load: async () => (await import('./impact/commands.ts')).registerImpact },
  { verbs: ['taxonomy'], load: async () => (await import('./classifier/commands.ts')).registerTaxonomy },
]

/** The command with the verbs of the service that `verb` is of, or with all of them. */
export async function createProgram(context: Context, verb?: string): Promise<Command> {
  const program = new Command('intent-ledger')
    .description('Voice-assistant usage telemetry that tells, early and honestly, whether use earns anything.')
    .version(productVersion)
    .showHelpAfterError('(`npx intent-ledger --help` lists the verbs, `npx intent-ledger <verb> --help` its options)')
    .showSuggestionAfterError()
    .exitOverride()
    .addHelpText(
      'after',
      '\nEndpoints and secrets come from the environment (README.md has the table); without them the verbs use the local' +
        '\nstack that runs on .data.\n\nExample:\n  npx intent-ledger demo',
    )

  const meant = services.filter(({ verbs }) => verb !== undefined && verbs.includes(verb))
  for (const { load } of meant.length > 0 ? meant : services) {
    const register = await load()
    register(program, context)
  }
  for (const command of allCommands(program)) {
    command.exitOverride()
  }
  return program
}

/** A person's mistake or a fault gets its one sentence; only what we did not foresee gets a stack trace. */
function tell(thrown: unknown): number {
  if (thrown instanceof CommanderError) {
    // commander has already written its sentence; --help and --version end here too, with 0.
    return thrown.exitCode === 0 ? 0 : 2
  }
  if (thrown instanceof PipelineError) {
    process.stderr.write(`${thrown.message.split('\n').map(clipped).join('\n')}\n`)
    return thrown.code === 'usage_invalid' || thrown.code === 'config_invalid' ? 2 : 1
  }
  process.stderr.write(`${thrown instanceof Error ? (thrown.stack ?? thrown.message) : messageOf(thrown)}\n`)
  return 1
}

/** A mistake repeats what was typed, and that can be anything. */
function clipped(line: string): string {
  return line.length > lineCharactersMax ? `${line.slice(0, lineCharactersMax)}…` : line
}

function allCommands(command: Command): Command[] {
  return command.commands.flatMap((child) => [child, ...allCommands(child)])
}
