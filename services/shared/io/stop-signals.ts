/** Ctrl-C or a TERM asks the work to stop; a second one ends the process as usual. `release` when the work is done. */
export function stopOnSignals(): {
  readonly signal: AbortSignal
  readonly stop: () => void
  readonly release: () => void
} {
  const controller = new AbortController()
  const stop = () => controller.abort()
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  return {
    signal: controller.signal,
    stop,
    release() {
      process.removeListener('SIGINT', stop)
      process.removeListener('SIGTERM', stop)
    },
  }
}
