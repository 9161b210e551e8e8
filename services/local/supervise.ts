/**
 * A process between us and a command that knows nothing of us: `node supervise.ts <graceMs> <command> [argument…]`.
 *
 * Runs the command and ends it when standard input closes, which is what the kernel does when our process ends, be it by
 * SIGKILL. Prints the command's pid as its first line; ends as the command ended.
 */
import { spawn } from 'node:child_process'

const [graceMs, command, ...args] = process.argv.slice(2)
if (graceMs === undefined || command === undefined) {
  process.stderr.write('usage: node supervise.ts <graceMs> <command> [argument…]\n')
  process.exit(2)
}

const child = spawn(command, args, { stdio: ['ignore', 2, 2] })

child.on('error', (error) => {
  process.stderr.write(`${command} can't be run: ${error.message}\n`)
  process.exit(127)
})
child.on('spawn', () => process.stdout.write(`${child.pid}\n`))
child.on('exit', (code, signal) => {
  process.stdin.pause()
  process.exitCode = signal === null ? (code ?? 1) : 1
  if (signal !== null) process.stdout.write(`signal ${signal}\n`)
})

process.stdin.resume()
process.stdin.on('end', () => {
  child.kill('SIGTERM')
  setTimeout(() => child.kill('SIGKILL'), Number(graceMs)).unref()
})
// A SIGKILL of the owner closes the pipe as well; an error on it means the same as its end.
process.stdin.on('error', () => child.kill('SIGTERM'))
// Ctrl-C reaches the whole foreground group: only the owner decides the order of stopping.
process.on('SIGINT', () => undefined)
process.on('SIGTERM', () => child.kill('SIGTERM'))
