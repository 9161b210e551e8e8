import { pino, type Logger } from 'pino'

export type { Logger }

/**
 * The one logger of a process: JSON lines on standard error (standard output belongs to reports), or readable ones on a terminal.
 * Fields first, then a fixed lower-case sentence; never a payload, a secret or a raw id.
 */
export function createLogger(options: { service: string; level: string; pretty: boolean }): Logger {
  const base = { service: options.service, pid: process.pid }
  if (options.pretty) {
    return pino({
      level: options.level,
      base,
      transport: { target: 'pino-pretty', options: { destination: 2, ignore: 'pid,hostname,service' } },
    })
  }
  return pino({ level: options.level, base }, pino.destination({ dest: 2, sync: true }))
}
