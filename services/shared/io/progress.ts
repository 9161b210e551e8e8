import cliProgress from 'cli-progress'

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
        stderr.write(`${label}: ${format(done)}${end}, ${note}\n`)
      }
    },
    stop: () => undefined,
  }
}
