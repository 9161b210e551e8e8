/**
 * `npm test`: lint, types, then every test on one real stack that this process starts and stops.
 *
 * Two runs at once, also in one folder, do not meet: each has its own data folder, ports, topics and databases.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { glob, mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'

import { startStack } from '../services/local/stack.ts'
import { describeStack, stackVariable } from './support/described-stack.ts'

const root = join(import.meta.dirname, '..')
/** The chaos run takes about 150 s, and a machine that others load may be slow. */
const testTimeoutMs = 480_000
const running = new Set<ChildProcess>()
let interrupted = false

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    interrupted = true
    for (const child of running) {
      child.kill('SIGTERM')
    }
  })
}

const bin = (name: string) => join(root, 'node_modules/.bin', name)
const startedMs = performance.now()
process.exitCode = await main()

async function main(): Promise<number> {
  for (const [name, command, args] of [
    ['lint', bin('eslint'), ['.', '--max-warnings', '0']],
    ['format', bin('prettier'), ['--check', '--log-level', 'warn', '.']],
    ['types', bin('tsc'), []],
  ] as const) {
    say(`${name} …`)
    const code = await run(command, args, process.env)
    if (code !== 0 || interrupted) {
      say(`${name} failed`)
      return code === 0 ? 130 : code
    }
  }
  const folder = await mkdtemp(join(tmpdir(), 'intent-ledger-test-'))
  say('starting Kafka and ClickHouse for the tests …')
  const stack = await startStack({ dataDir: folder, onLog: say })
  try {
    if (interrupted) {
      return 130
    }
    const files = await testFiles(process.argv.slice(2))
    const concurrency = String(Math.max(2, Math.floor(availableParallelism())))
    const args = ['--test', `--test-concurrency=${concurrency}`, `--test-timeout=${testTimeoutMs}`, ...files]
    const code = await run(process.execPath, args, { ...process.env, [stackVariable]: describeStack(stack) })
    return interrupted ? 130 : code
  } finally {
    await stack.stop()
    await rm(folder, { recursive: true, force: true })
    say(`done in ${Math.round((performance.now() - startedMs) / 1_000)} s`)
  }
}

/** All test files, the long ones first, so that no core waits for one at the end. Arguments choose among them by a part of their path. */
async function testFiles(wanted: readonly string[]): Promise<string[]> {
  const found: string[] = []
  for (const pattern of [
    'test/e2e/**/*.test.ts',
    'test/integration/**/*.test.ts',
    'test/fuzz/**/*.test.ts',
    'test/unit/**/*.test.ts',
    'test/*.test.ts',
  ]) {
    const files = await Array.fromAsync(glob(pattern, { cwd: root }))
    found.push(...files.sort())
  }
  return wanted.length === 0 ? found : found.filter((file) => wanted.some((part) => file.includes(part)))
}

async function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] })
  running.add(child)
  const [code] = (await once(child, 'exit')) as [number | null]
  running.delete(child)
  return code ?? 1
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
