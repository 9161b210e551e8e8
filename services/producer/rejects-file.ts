import { once } from 'node:events'
import { createWriteStream, type WriteStream } from 'node:fs'

import { messageOf, mistake } from '../shared/domain/faults.ts'

export interface RejectedLine {
  readonly line: number
  readonly reason: string
  readonly text: string
}

/** The side file of bad lines, one JSON object a line. Made with the first of them: a clean import leaves no file. */
export function createRejectsFile(path: string) {
  let stream: WriteStream | undefined
  let failure: Error | undefined

  async function open(): Promise<WriteStream> {
    const opened = createWriteStream(path, { mode: 0o600 })
    await once(opened, 'open').catch((thrown: unknown) => {
      throw mistake(`${path}, for the bad lines, can't be written: ${messageOf(thrown)}; name another by --rejects`)
    })
    opened.on('error', (error) => {
      failure = error
    })
    return opened
  }

  function check(): void {
    if (failure !== undefined) {
      throw mistake(`${path}, for the bad lines, can't be written: ${failure.message}`)
    }
  }

  return {
    async write(rejected: RejectedLine): Promise<void> {
      stream ??= await open()
      check()
      if (!stream.write(`${JSON.stringify(rejected)}\n`)) {
        await once(stream, 'drain').catch(check)
      }
    },
    async close(): Promise<void> {
      if (stream !== undefined) {
        stream.end()
        await once(stream, 'close')
        check()
      }
    },
  }
}
