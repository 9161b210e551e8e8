import { Worker } from 'node:worker_threads'

import { parseSchema, type RecordNode } from '../../services/shared/domain/avro-schema.ts'
import { bodiesPerSchema, bodyAt, schemaAt, type FuzzFailure, type fuzz } from './fuzz.ts'
import type { FuzzOptions } from './options.ts'
import type { FuzzJob } from './worker.ts'

const tickMs = 1_000
/** A body takes 0.2 ms, avro-js' circles up to a tenth of a second: one that takes this long hangs. */
export const hangMs = 20_000

type Result = ReturnType<typeof fuzz>

/** Fuzzes in a thread and watches it: a body that does not end is a failure like any other, with its schema and bytes. */
export async function watchedFuzz(
  options: FuzzOptions,
  onProgress: (bodies: number) => void,
  workerFile = new URL('worker.ts', import.meta.url),
  hangAfterMs = hangMs,
): Promise<{ count: Result['count'] | undefined; failure: FuzzFailure | undefined }> {
  const progress = new SharedArrayBuffer(4)
  const job: FuzzJob = { ...options, progress }
  const worker = new Worker(workerFile, { workerData: job })
  const current = new Int32Array(progress)
  let seen = -1
  let movedMs = performance.now()
  let ticker: NodeJS.Timeout | undefined
  try {
    return await new Promise((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
      ticker = setInterval(
        () => {
          const index = Atomics.load(current, 0)
          onProgress(index)
          if (index !== seen) {
            seen = index
            movedMs = performance.now()
          } else if (performance.now() - movedMs > hangAfterMs) {
            resolve({ count: undefined, failure: hang(options.seed, index) })
          }
        },
        Math.min(tickMs, hangAfterMs / 4),
      )
    })
  } finally {
    clearInterval(ticker)
    await worker.terminate()
  }
}

function hang(seed: number, index: number): FuzzFailure {
  const { json, captures } = schemaAt(seed, Math.floor(index / bodiesPerSchema))
  const { kind, bytes } = bodyAt(seed, index, parseSchema(json) as RecordNode)
  const hex = bytes.toString('hex')
  return {
    seed,
    index,
    what: 'never ends',
    schema: json,
    captures,
    kind,
    hex,
    walker: 'hangs',
    avroJs: 'or avro-js hangs',
  }
}
