import { Writable } from 'node:stream'

import { Command } from 'commander'

/** Streams for a verb in this process, and what was written to each so far. */
export function collectSaid() {
  const said = { stdout: '', stderr: '' }
  const collect = (name: keyof typeof said) =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        said[name] += chunk.toString()
        done()
      },
    })
  return { said, streams: { stdout: collect('stdout'), stderr: collect('stderr') } }
}

/** Runs words through the verbs that `register` adds, as the command does. Returns the exit code, which is not left to this process. */
export async function parseHere(
  register: (program: Command) => void,
  words: readonly string[],
): Promise<typeof process.exitCode> {
  const program = new Command().exitOverride().configureOutput({ writeErr: () => undefined })
  register(program)
  const before = process.exitCode
  process.exitCode = undefined
  try {
    await program.parseAsync(['node', 'intent-ledger', ...words])
    return process.exitCode
  } finally {
    process.exitCode = before
  }
}
