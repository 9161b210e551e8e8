import { createInterface } from 'node:readline/promises'

/** Asks on the terminal; anything but y or yes is a no. */
export async function confirm(stderr: NodeJS.WritableStream, question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: stderr })
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim())
  } finally {
    terminal.close()
  }
}
