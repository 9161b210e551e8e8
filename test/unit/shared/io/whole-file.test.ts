import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'

import { createWholeFile, writeFileWhole } from '../../../../services/shared/io/whole-file.ts'

async function folder(t: TestContext): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'intent-ledger-whole-'))
  t.after(() => rm(made, { recursive: true }))
  return made
}

test('a file has its name when it is finished, not before', async (t) => {
  const dir = await folder(t)
  const file = await createWholeFile(join(dir, 'a'))
  await file.write(Buffer.from('one '))
  assert.deepEqual(await readdir(dir), ['.unfinished-a'])
  await file.write(Buffer.from('two'))
  await file.finish()
  await file.abandon()
  assert.deepEqual(await readdir(dir), ['a'])
  assert.equal(await readFile(join(dir, 'a'), 'utf8'), 'one two')
})

test('what is abandoned leaves nothing, and the file that was there stays', async (t) => {
  const dir = await folder(t)
  await writeFile(join(dir, 'a'), 'before')
  const file = await createWholeFile(join(dir, 'a'))
  await file.write(Buffer.from('half'))
  await file.abandon()
  assert.deepEqual(await readdir(dir), ['a'])
  assert.equal(await readFile(join(dir, 'a'), 'utf8'), 'before')
})

test('takes the place of a file with its name', async (t) => {
  const dir = await folder(t)
  await writeFile(join(dir, 'a'), 'before')
  await writeFileWhole(join(dir, 'a'), 'after')
  assert.equal(await readFile(join(dir, 'a'), 'utf8'), 'after')
})
