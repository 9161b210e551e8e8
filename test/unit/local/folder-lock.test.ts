import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test, type TestContext } from 'node:test'
import { lockFolder } from '../../../services/local/folder-lock.ts'
import { aliveProcess, processMark } from '../../../services/local/process-mark.ts'

const lockModule = join(import.meta.dirname, '..', '..', '..', 'services', 'local', 'folder-lock.ts')

test('a folder that is held is refused, also under another name, and free after its release', async (t) => {
  const folder = await temporaryFolder(t)
  const alias = `${folder}-alias`
  await symlink(folder, alias)
  t.after(() => rm(alias))

  const lock = await lockFolder(folder)
  for (const name of [folder, alias]) {
    await assert.rejects(lockFolder(name), {
      code: 'usage_invalid',
      message: `the data folder ${name} is in use by process ${process.pid}: stop that one or choose another folder`,
    })
  }
  await lock.release()
  await lock.release()
  const again = await lockFolder(alias)
  await again.release()
})

test('of many that want a free folder at once, one gets it', async (t) => {
  const folder = await temporaryFolder(t)
  const wanted = await Promise.allSettled(Array.from({ length: 8 }, () => lockFolder(folder)))
  const got = wanted.filter((outcome) => outcome.status === 'fulfilled')
  assert.equal(got.length, 1)
  await got[0]!.value.release()
})

test('the lock of a killed process is taken over, once the servers it left are gone', async (t) => {
  const folder = await temporaryFolder(t)
  const server = spawn('sleep', ['60'])
  t.after(() => server.kill())
  const script = `
    const { lockFolder } = await import(${JSON.stringify(lockModule)})
    const lock = await lockFolder(${JSON.stringify(folder)})
    await lock.describe([${server.pid}])
    console.log('locked')
    setInterval(() => {}, 1000)`
  const holder = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => holder.kill('SIGKILL'))
  await once(createInterface({ input: holder.stdout }), 'line')
  await assert.rejects(lockFolder(folder), { message: new RegExp(`in use by process ${holder.pid}:`) })

  holder.kill('SIGKILL')
  await once(holder, 'exit')
  const mark = processMark(server.pid!)
  const taking = lockFolder(folder)
  server.kill()
  const lock = await taking
  assert.ok(!aliveProcess(mark))
  await lock.release()
})

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'intent-ledger-lock-'))
  t.after(() => rm(folder, { recursive: true }))
  return folder
}
