import { Command, CommanderError } from 'commander'

import { registerAlerts } from './alerts/commands.ts'
import { registerAudited } from './audited/commands.ts'
import { registerArchive } from './archive/commands.ts'
import { registerClassify, registerTaxonomy } from './classifier/commands.ts'
import { registerImpact } from './impact/commands.ts'
import { registerLocal } from './local/commands.ts'
import { createContext } from './local/context.ts'
import { registerImport, registerSimulate } from './producer/commands.ts'
import { registerSimulateEcosystem } from './producer/ecosystem/command.ts'
import { registerRedrive } from './redrive/commands.ts'
import { registerReplay } from './replay/commands.ts'
import { registerReports } from './report/commands.ts'
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
    await createProgram(context).parseAsync(argv)
  } catch (thrown) {
    process.exitCode = tell(thrown)
  } finally {
    await context.close().catch(() => undefined)
    // kafkajs can leave a socket behind when a consumer is stopped while it joins: the work is done, so it must not keep us.
    setTimeout(() => process.exit(), lingerMaxMs).unref()
  }
}

/** Exported for the test that tries every verb and option it has. */
export function createProgram(context: ReturnType<typeof createContext>): Command {
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

  registerLocal(program, context)
  registerSimulate(program, context)
  registerSimulateEcosystem(program, context)
  registerImport(program, context)
  registerClassify(program, context)
  registerReports(program, context)
  registerRedrive(program, context)
  registerAudited(program, context)
  registerReplay(program, context)
  registerAlerts(program, context)
  registerArchive(program, context)
  registerImpact(program, context)
  registerTaxonomy(program, context)
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
