/** Faults on the real servers under load, and a judge who knows only what the producer sent. `npm run chaos -- --help`. */
import { PipelineError } from '../../services/shared/domain/faults.ts'
import { help, readOptions } from './options.ts'
import { runChaos } from './run.ts'

let output: NodeJS.WriteStream = process.stdout
const say = (line: string) => output.write(`${line}\n`)

const interruption = new PipelineError('interrupted', { code: 'usage_invalid' })
const interrupted = new Promise<never>((_, reject) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => reject(interruption))
  }
})
interrupted.catch(() => undefined)

let code: number
try {
  const options = readOptions(process.argv.slice(2))
  if (options === undefined) {
    process.stdout.write(help)
    code = 0
  } else {
    output = options.format === 'json' ? process.stderr : process.stdout
    const summary = await runChaos(options, { say, interrupted })
    if (options.format === 'json') {
      process.stdout.write(`${JSON.stringify(summary)}\n`)
    }
    code = summary.clean ? 0 : 1
  }
} catch (thrown) {
  const isFault = thrown instanceof PipelineError
  say(isFault ? thrown.message : thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown))
  if (thrown instanceof Error && thrown.cause !== undefined) {
    say(`because: ${thrown.cause instanceof Error ? thrown.cause.stack : JSON.stringify(thrown.cause)}`)
  }
  code = thrown === interruption ? 130 : isFault && thrown.code === 'usage_invalid' ? 2 : 1
}
// A client of a server that is gone may still be trying.
process.exit(code)
