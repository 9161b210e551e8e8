/** Holds a process to a share of a core, so that cores stay free on a small machine. */
import type { ChildProcess } from 'node:child_process'

const turnMs = 100

/**
 * Lets the process run for `percent` of each turn of 100 ms and stops it for the rest, by signals, until `release`. A process with
 * threads of its own takes more than that share of a core; what it took is measured, not promised. `phase` of 0 to 1 shifts
 * the turns, so that several processes don't run in the same part of them.
 */
export function holdProcess(child: ChildProcess, { percent, phase }: { percent: number; phase: number }): () => void {
  const runsMs = (turnMs * percent) / 100
  let timer: NodeJS.Timeout
  const rest = () => {
    child.kill('SIGSTOP')
    timer = setTimeout(run, turnMs - runsMs)
  }
  const run = () => {
    child.kill('SIGCONT')
    timer = setTimeout(rest, runsMs)
  }
  timer = setTimeout(rest, turnMs * phase)
  return () => {
    clearTimeout(timer)
    child.kill('SIGCONT')
  }
}
