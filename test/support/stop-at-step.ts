/** For child processes of tests that stop themselves at a named step, by STOP_AT and STOP_SIGNAL (SIGKILL by default). */
import { writeSync } from 'node:fs'

const { STOP_AT, STOP_SIGNAL, ...rest } = process.env
const [stopStep, stopCount] = (STOP_AT ?? 'never').split(':')
let left = Number(stopCount ?? 1)

/** The environment without what is for the test alone. */
export const env = rest

function passing(step: string): void {
  if (step === stopStep && --left === 0) {
    writeSync(1, 'stopping\n')
    process.kill(process.pid, STOP_SIGNAL ?? 'SIGKILL')
  }
}

/** The steps `before_` and `after_` a piece of work. */
export async function around<T>(step: string, work: () => Promise<T>): Promise<T> {
  passing(`before_${step}`)
  const answer = await work()
  passing(`after_${step}`)
  return answer
}
