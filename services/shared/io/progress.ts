import cliProgress from 'cli-progress'

import { formatNumber } from './render.ts'

export interface Progress {
  /** `note` stands behind the bar, e.g. a rate. */
  update(done: number, note: string): void
  stop(): void
}

const lineEveryMs = 3_000

/** A bar on a terminal; a line every few seconds elsewhere (a log, a pipe) and where no end is known. On standard error. */
export function createProgress(options: {
  stderr: NodeJS.WritableStream
  label: string
  total: number
  /** How a number of done units is written, e.g. as megabytes. */
  format: (units: number) => string
}): Progress {
  const { stderr, label, total, format } = options
  if ('isTTY' in stderr && stderr.isTTY === true && Number.isFinite(total)) {
    const bar = new cliProgress.SingleBar({
      format: `${label} {bar} {percentage} %  {note}`,
      stream: stderr,
      hideCursor: true,
      fps: 5,
    })
    bar.start(total, 0, { note: '' })
    return { update: (done, note) => bar.update(Math.min(done, total), { note }), stop: () => bar.stop() }
  }
  let saidAt = Date.now()
  return {
    update(done, note) {
      if (Date.now() - saidAt >= lineEveryMs) {
        saidAt = Date.now()
        const end = Number.isFinite(total) ? ` of ${format(total)}` : ''
        stderr.write(`${[`${label}: ${format(done)}${end}`, ...(note === '' ? [] : [note])].join(', ')}\n`)
      }
    },
    stop: () => undefined,
  }
}

/** A bar that says its rate since the first update, and the time left where the end is known; it shows with that update. */
export function createRateProgress({
  stderr,
  label,
  unit,
}: {
  stderr: NodeJS.WritableStream
  label: string
  unit: string
}) {
  let begun: { progress: Progress; done: number; atMs: number } | undefined
  return {
    update(this: void, done: number, total: number): void {
      begun ??= {
        progress: createProgress({ stderr, label, total, format: (units) => `${formatNumber(units)} ${unit}` }),
        ...{ done, atMs: performance.now() },
      }
      const perSecond = (done - begun.done) / ((performance.now() - begun.atMs) / 1_000)
      const isKnown = perSecond > 0 && Number.isFinite(perSecond)
      const left = isKnown && Number.isFinite(total) ? `, ${timeText((total - done) / perSecond)} left` : ''
      begun.progress.update(done, isKnown ? `${formatNumber(perSecond)} ${unit}/s${left}` : '')
    },
    stop: (): void => begun?.progress.stop(),
  }
}

/** `45 s`, `3 min 5 s`, `2 h 3 min`. */
export function timeText(seconds: number): string {
  const whole = Math.ceil(seconds)
  const [hours, minutes] = [Math.floor(whole / 3_600), Math.floor(whole / 60) % 60]
  return hours > 0 ? `${hours} h ${minutes} min` : minutes > 0 ? `${minutes} min ${whole % 60} s` : `${whole} s`
}
