import { Writable } from 'node:stream'

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
