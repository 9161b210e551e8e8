import { readFileSync } from 'node:fs'

/** `pid@start`, where start is the kernel's start time of the process: pids are used again, pairs are not. */
export function processMark(pid: number): string {
  return `${pid}@${startTicks(pid) ?? 'ended'}`
}

/** Whether the very process that was marked still lives (a zombie that nobody has reaped counts as ended). */
export function aliveProcess(mark: string): boolean {
  const [pid, ticks] = mark.split('@')
  return ticks !== 'ended' && startTicks(Number(pid)) === ticks
}

/** Field 22 of /proc/pid/stat; field 2, the name, may hold blanks and brackets. Undefined for no process and for zombies. */
function startTicks(pid: number): string | undefined {
  let stat: string
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return undefined
  }
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[0] === 'Z' ? undefined : fields[19]
}
