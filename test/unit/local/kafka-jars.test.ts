import assert from 'node:assert/strict'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { findJava } from '../../../services/local/kafka-jars.ts'

test('without Java one sentence says what to install and what else to do', async (t) => {
  const folder = await temporaryFolder(t)
  await assert.rejects(findJava(folder), {
    code: 'usage_invalid',
    message:
      `the embedded Kafka needs Java 17 or newer, and there is no ${join(folder, 'bin', 'java')} here: ` +
      'install it (Debian: apt-get install openjdk-17-jre-headless maven), ' +
      'or name running servers with KAFKA_BROKERS and CLICKHOUSE_URL, or use `docker compose up`',
  })
})

for (const { version, accepted } of [
  { version: '1.8.0_402', accepted: false },
  { version: '16.0.2', accepted: false },
  { version: '17.0.15', accepted: true },
  { version: '25', accepted: true },
]) {
  test(`Java ${version} is ${accepted ? 'taken' : 'refused'}`, async (t) => {
    const folder = await temporaryFolder(t)
    const java = join(folder, 'bin', 'java')
    await mkdir(join(folder, 'bin'))
    await writeFile(java, `#!/bin/sh\necho 'openjdk version "${version}" 2025-04-15' >&2\n`)
    await chmod(java, 0o755)
    if (accepted) assert.equal(await findJava(folder), java)
    else await assert.rejects(findJava(folder), { message: /needs Java 17 or newer, and .* is openjdk version/ })
  })
}

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'intent-ledger-java-'))
  t.after(() => rm(folder, { recursive: true }))
  return folder
}
