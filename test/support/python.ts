/** Python with packages from PyPI, in a folder of one test's own: nothing is installed on the machine. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'

const execute = promisify(execFile)
const installTimeoutMs = 90_000
const outputBytesMax = 256 * 1_048_576

/** Runs a program of one file; resolves with what it wrote to standard output. */
export type Python = (program: string, args: readonly string[], env?: Record<string, string>) => Promise<string>

/** Undefined, and the test is skipped with the reason, where Python or pip can't do it; REQUIRE_PYTHON=1 makes that a failure. */
export async function pythonWith(t: TestContext, packages: readonly string[]): Promise<Python | undefined> {
  const folder = await mkdtemp(join(tmpdir(), 'intent-ledger-python-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target', folder, ...packages]
  const missing = await execute('python3', pip, { timeout: installTimeoutMs }).then(
    () => undefined,
    (thrown: Error) => `Python 3 can't install ${packages.join(', ')} here: ${thrown.message.slice(0, 300)}`,
  )
  if (missing !== undefined) {
    assert.notEqual(process.env['REQUIRE_PYTHON'], '1', `REQUIRE_PYTHON=1, but ${missing}`)
    t.skip(missing)
    return undefined
  }
  return async (program, args, env = {}) => {
    const { stdout } = await execute('python3', ['-c', program, ...args], {
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], PYTHONPATH: folder, ...env },
      maxBuffer: outputBytesMax,
    })
    return stdout
  }
}
