import assert from 'node:assert/strict'
import { chmod, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { loadSecrets, passwordHashes } from '../../../services/local/secrets.ts'

test('secrets are made once, differ between folders, and only their owner can read them', async (t) => {
  const folder = await temporaryFolder(t)
  const secrets = await loadSecrets(folder)
  assert.deepEqual(await loadSecrets(folder), secrets)
  assert.notDeepEqual(await loadSecrets(await temporaryFolder(t)), secrets)
  assert.equal(new Set(Object.values(secrets)).size, 4)
  assert.equal((await stat(join(folder, 'secrets.json'))).mode & 0o777, 0o600)
})

test('a secrets file that cannot be understood is a mistake with one sentence, and is left as it is', async (t) => {
  const folder = await temporaryFolder(t)
  for (const text of ['', '{', '{}', '{"pipelinePassword":"short"}']) {
    await writeFile(join(folder, 'secrets.json'), text)
    await chmod(join(folder, 'secrets.json'), 0o600)
    await assert.rejects(loadSecrets(folder), {
      code: 'file_invalid',
      message:
        /^the secrets of this data folder can't be read from .*secrets\.json \(.*\): restore the file or use another data folder$/s,
    })
    assert.equal((await stat(join(folder, 'secrets.json'))).size, text.length)
  }
})

test('ClickHouse is given SHA-256 in hex', () => {
  const secrets = { pipelinePassword: 'abc', stewardPassword: 'b', analystPassword: 'c', householdKey: 'd' }
  // The example of FIPS 180-2, appendix B.1.
  const expected = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
  assert.equal(passwordHashes(secrets)['CLICKHOUSE_PIPELINE_PASSWORD_SHA256'], expected)
})

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'intent-ledger-secrets-'))
  t.after(() => rm(folder, { recursive: true }))
  return folder
}
