/** Fuzzes in a thread of its own, so that a walk that never ends can be seen, and stopped, from outside. */
import { parentPort, workerData } from 'node:worker_threads'

import { fuzz } from './fuzz.ts'

/** `progress` holds one number: the body being walked. */
export interface FuzzJob {
  readonly seed: number
  readonly bodies: number
  readonly progress: SharedArrayBuffer
}

const { seed, bodies, progress } = workerData as FuzzJob
const current = new Int32Array(progress)
parentPort!.postMessage(fuzz({ seed, bodies }, (index) => Atomics.store(current, 0, index)))
