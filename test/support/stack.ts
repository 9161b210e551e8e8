/** Real servers for tests: the run's shared stack, or one of the test's own when it kills servers. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { startStack, type LocalStack, type StackOptions } from '../../services/local/stack.ts'
import { describeStack, readDescribedStack, stackVariable, type StackEndpoints } from './described-stack.ts'

export type { StackEndpoints }

let shared: Promise<StackEndpoints> | undefined
let removeShared: (() => Promise<void>) | undefined

// Registered while the test file is loaded, so it runs after all of its tests: inside a test it would run after that one.
after(async () => removeShared?.())

/**
 * The stack that all tests of this run share; without one (a test file run by hand) this file starts its own, once, and
 * removes it after its tests. Take names from `uniqueName`: others work on the same servers.
 */
export function sharedStack(): Promise<StackEndpoints> {
  shared ??= findOrStart()
  return shared
}

async function findOrStart(): Promise<StackEndpoints> {
  const described = process.env[stackVariable]
  if (described !== undefined) return readDescribedStack(described)
  const { stack, remove } = await startInTemporaryFolder({})
  removeShared = remove
  return readDescribedStack(describeStack(stack))
}

/** A stack for one test, which may kill its servers. Stopped and removed after the test. */
export async function ownStack(
  t: { after(clean: () => Promise<void>): void },
  options: Partial<StackOptions> = {},
): Promise<LocalStack> {
  const { stack, remove } = await startInTemporaryFolder(options)
  t.after(remove)
  return stack
}

async function startInTemporaryFolder(options: Partial<StackOptions>) {
  const folder = await mkdtemp(join(tmpdir(), 'intent-ledger-test-'))
  try {
    const stack = await startStack({ dataDir: folder, ...options })
    const remove = async () => {
      await stack.stop()
      await rm(folder, { recursive: true, force: true })
    }
    return { stack, remove }
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

/** `prefix_` and eight random characters that fit names of topics, groups, databases and tables. */
export function uniqueName(prefix: string): string {
  return `${prefix}_${randomBytes(4).toString('hex')}`
}
