/** What is changed or missing in an archive is told with its file and offsets, and nothing of it is handed out. */
import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { cp, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { test } from 'node:test'

import { createRandom } from '../../../services/producer/random.ts'
import { archiveFolder, archiveVerbs, readBack } from '../../support/archive-case.ts'
import { pipelineCase } from '../../support/pipeline-case.ts'

test('tampering', async (t) => {
  const work = await pipelineCase(t)
  await work.simulate({ events: 2_500 })
  const dir = await archiveFolder(t)
  const archive = archiveVerbs(work)
  await archive('run', dir, '--range-messages', '700')
  const ranges = globSync(join(dir, 'partition-0/*')).sort()
  assert.ok(ranges.length >= 4)
  const seed = Date.now() % 1_000_000
  const random = createRandom(seed)
  t.diagnostic(`seed ${seed}`)

  /** Changes a copy; then verify names the place, and reading stops there. */
  async function expectFault(change: (copy: string) => Promise<void>, expected: RegExp): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), 'intent-ledger-archive-'))
    try {
      const copy = join(folder, 'log')
      await cp(dir, copy, { recursive: true })
      await change(copy)
      const { stdout, exitCode } = await archive('verify', copy)
      assert.equal(exitCode, 1)
      assert.match(stdout, expected)
      assert.match(stdout, /: \d faults? — /)
      await assert.rejects(readBack(copy, 0), { code: 'archive_damaged' })
    } finally {
      await rm(folder, { recursive: true })
    }
  }
  const inCopy = (copy: string, path: string) => join(copy, path.slice(dir.length))
  const offsetsOf = (range: string) => basename(range).split('-').map(Number) as [number, number]

  await t.test('one byte of any file, wherever it stands', async () => {
    const files = globSync(join(dir, '**/*.avro')).concat(globSync(join(dir, '**/manifest.json')))
    for (const path of files) {
      const bytes = await readFile(path)
      for (let tries = 0; tries < 2; tries++) {
        const at = random.integer(0, bytes.length - 1)
        await expectFault(
          async (copy) => {
            const changed = Buffer.from(bytes)
            changed[at]! ^= 1 << random.integer(0, 7)
            await writeFile(inCopy(copy, path), changed)
          },
          path.endsWith('.avro')
            ? new RegExp(
                `${basename(dirname(path))}/${basename(path)} \\(partition 0, offsets \\d+ to \\d+\\): its bytes are not`,
              )
            : new RegExp(`${basename(dirname(path))}/manifest\\.json: `),
        )
      }
    }
  })

  await t.test('a file cut short, a file missing, a manifest missing', async () => {
    const path = globSync(join(ranges[1]!, 'schema-2.avro'))[0]!
    const bytes = await readFile(path)
    const named = `${basename(ranges[1]!)}/schema-2.avro \\(partition 0, offsets \\d+ to \\d+\\)`
    await expectFault(
      (copy) => writeFile(inCopy(copy, path), bytes.subarray(0, -1)),
      new RegExp(`${named}: it has \\d+ bytes, its manifest says \\d+`),
    )
    await expectFault((copy) => rm(inCopy(copy, path)), new RegExp(`${named}: it is missing`))
    const [first, last] = offsetsOf(ranges[1]!)
    await expectFault(
      (copy) => rm(join(inCopy(copy, ranges[1]!), 'manifest.json')),
      new RegExp(`manifest\\.json: it is missing, so offsets ${first} to ${last} can't be read`),
    )
  })

  for (const [what, index] of [
    ['first', 0],
    ['middle', 1],
    ['last', ranges.length - 1],
  ] as const) {
    await t.test(`the ${what} range missing`, async () => {
      const [first, last] = offsetsOf(ranges[index]!)
      await expectFault(
        (copy) => rm(inCopy(copy, ranges[index]!), { recursive: true }),
        new RegExp(`the range with offsets ${first} to ${last} of partition 0 is missing`),
      )
    })
  }

  await t.test('a range under the name of other offsets', async () => {
    const [first, last] = offsetsOf(ranges[1]!)
    const renamed = join(
      dirname(ranges[1]!),
      basename(ranges[1]!).replace(/\d{20}$/, String(last - 1).padStart(20, '0')),
    )
    await expectFault(
      (copy) => rename(inCopy(copy, ranges[1]!), inCopy(copy, renamed)),
      new RegExp(
        `offsets ${last} to ${last} of partition 0 is missing[\\s\\S]*is the manifest of partition 0, offsets ${first} to ${last}`,
      ),
    )
  })

  await t.test('a damaged archive does not grow', async () => {
    await rm(ranges[0]!, { recursive: true })
    await assert.rejects(archive('run', dir), /the range with offsets 0 to \d+ of partition 0 is missing/)
  })

  await t.test('archive.json with another byte, or none', async () => {
    const path = join(dir, 'archive.json')
    const text = await readFile(path, 'utf8')
    await writeFile(path, text.replace(/"next": \d/, '"next": 9'))
    await assert.rejects(archive('verify', dir), /archive\.json: its content is not what its own SHA-256 says/)
    await rm(path)
    await assert.rejects(archive('verify', dir), /is no archive: it has no archive\.json/)
    await assert.rejects(archive('run', dir), /has no archive\.json, but it has partition-0/)
  })
})
