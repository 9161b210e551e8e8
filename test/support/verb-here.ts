import { createContext } from '../../services/local/context.ts'
import { PipelineError } from '../../services/shared/domain/faults.ts'
import { createProgram } from '../../services/verbs.ts'
import type { CliRun } from './cli.ts'
import { collectSaid } from './said.ts'

/** A verb in this process: a process of its own takes a second to start, and these tests give many. */
export async function runVerbHere(words: readonly string[], env: Record<string, string>): Promise<CliRun> {
  const { said, streams } = collectSaid()
  const context = createContext({ LOG_LEVEL: 'silent', ...env }, streams)
  process.exitCode = undefined
  try {
    const program = await createProgram(context, words[0])
    await program.parseAsync(['node', 'intent-ledger', ...words])
    return { code: Number(process.exitCode ?? 0), ...said }
  } catch (thrown) {
    if (!(thrown instanceof PipelineError)) {
      throw thrown
    }
    const code = thrown.code === 'usage_invalid' || thrown.code === 'config_invalid' ? 2 : 1
    return { code, stdout: said.stdout, stderr: said.stderr + thrown.message }
  } finally {
    process.exitCode = undefined
    await context.close()
  }
}
