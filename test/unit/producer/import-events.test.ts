import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'

import { loadMapping, mapRow } from '../../../services/producer/csv-mapping.ts'
import { eventJson, toEvent, uuidFromText } from '../../../services/producer/event-json.ts'
import { importEvents } from '../../../services/producer/import-events.ts'
import { lineBytesMax, readCsvRows, readJsonLines } from '../../../services/producer/input-rows.ts'
import { createRejectsFile, type RejectedLine } from '../../../services/producer/rejects-file.ts'
import { dayMs } from '../../../services/producer/traffic.ts'
import { loadEncoders } from '../../../services/producer/writer-schemas.ts'
import { classify } from '../../../services/shared/domain/taxonomy.ts'
import { createPseudonymizer } from '../../../services/shared/io/pseudonym.ts'
import { slurpMissing, slurpPath } from '../../support/slurp.ts'
import { loadTaxonomy } from '../../../services/shared/io/taxonomy-file.ts'

const good = {
  eventId: '01963c5e-7c1a-7000-8000-000000000001',
  occurredAt: '2026-03-31T12:15:00+02:00',
  deviceSerial: 'G090XG1234',
  householdId: 'household 7',
  product: 'echo',
  deviceModel: 'echo_dot_5',
  activatedOn: '2026-01-05',
  country: 'DE',
  locale: 'de-DE',
  plans: ['prime', 'music', 'prime'],
  intent: 'play_music',
  outcome: 'fulfilled',
  latencyMs: 420,
  appVersion: '4.1.0',
}
const householdKey = Buffer.alloc(32, 9)
const lastDay = Date.parse('2026-03-30T00:00:00Z') / dayMs

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'intent-ledger-import-'))
  t.after(() => rm(path, { recursive: true }))
  return path
}

async function dryRun(path: string, options: { mapping?: string; stdin?: Readable } = {}) {
  const rejected: RejectedLine[] = []
  const summary = await importEvents(
    { path, mapping: options.mapping === undefined ? undefined : loadMapping(options.mapping), lastDay },
    {
      producer: undefined,
      encoder: loadEncoders()[2],
      householdKey,
      stdin: options.stdin ?? Readable.from([]),
      signal: new AbortController().signal,
      onRejected: (line) => {
        rejected.push(line)
        return Promise.resolve()
      },
    },
  )
  return { summary, rejected }
}

test('a line becomes an event with pseudonyms, sorted plans and times in UTC', () => {
  const event = toEvent(eventJson.parse(good), {
    pseudonymOf: createPseudonymizer(householdKey),
    derivedId: () => Buffer.alloc(16),
  })
  assert.equal(event.occurredAt, Date.parse('2026-03-31T10:15:00Z'))
  assert.equal(event.activatedOn, Date.parse('2026-01-05') / dayMs)
  assert.deepEqual(event.plans, ['music', 'prime'])
  assert.equal(event.eventId.toString('hex'), '01963c5e7c1a70008000000000000001')
  assert.equal(event.device.length, 8)
  assert.equal(event.purchase, null)
  assert.ok(!JSON.stringify(event).includes('G090XG1234'))
})

const badLines: [string, object, RegExp][] = [
  ['a missing field', { ...good, intent: undefined }, /^intent must be text$/],
  ['an unknown field', { ...good, utterance: 'play' }, /^unknown field utterance$/],
  ['a country in lower case', { ...good, country: 'de' }, /^country must be 2 characters of A-Z$/],
  ['a time without zone', { ...good, occurredAt: '2026-03-31T12:15:00' }, /^occurredAt must be a time/],
  ['a time beyond the bounds', { ...good, occurredAt: 12 }, /^occurredAt/],
  ['a half purchase', { ...good, purchase: { orderId: 'o1' } }, /^purchase.amountMicros .*; purchase.currency/],
  ['an id that is no UUID', { ...good, eventId: '7' }, /^eventId must be a UUID$/],
  ['a list', [], /object/],
]
for (const [name, line, reason] of badLines) {
  test(`refuses ${name}, with the field and without its value`, async () => {
    const { summary, rejected } = await dryRun('-', { stdin: Readable.from([Buffer.from(JSON.stringify(line))]) })
    assert.equal(summary.bad, 1)
    assert.match(rejected[0]!.reason, reason)
  })
}

test('imports good lines and reports bad ones by number, reason and text', async () => {
  const lines = [
    JSON.stringify(good),
    'no json',
    '',
    JSON.stringify({ ...good, product: 'Echo' }),
    JSON.stringify(good),
  ]
  const { summary, rejected } = await dryRun('-', { stdin: Readable.from([Buffer.from(lines.join('\r\n'))]) })
  assert.equal(summary.good, 2)
  assert.deepEqual(
    rejected.map(({ line, reason, text }) => ({ line, reason, isText: text === lines[line - 1] })),
    [
      { line: 2, reason: 'not JSON', isText: true },
      { line: 4, reason: 'product must be 1 to 32 characters of a-z, 0-9 and _', isText: true },
    ],
  )
})

test('reads plain and gzip alike, by content and not by name', async (t) => {
  const path = await folder(t)
  const content = `${JSON.stringify(good)}\n`.repeat(5_000)
  await writeFile(join(path, 'plain'), content)
  await writeFile(join(path, 'packed'), gzipSync(content))
  assert.equal((await dryRun(join(path, 'plain'))).summary.good, 5_000)
  assert.equal((await dryRun(join(path, 'packed'))).summary.good, 5_000)
})

async function stopImportOf(quiet: PassThrough) {
  const stop = new AbortController()
  setImmediate(() => stop.abort())
  return importEvents(
    { path: '-', mapping: undefined, lastDay },
    {
      producer: undefined,
      encoder: loadEncoders()[2],
      householdKey,
      stdin: quiet,
      signal: stop.signal,
      onRejected: () => Promise.resolve(),
    },
  )
}

test('a stop ends the import of a quiet pipe, before its first byte and after some lines', async () => {
  assert.equal((await stopImportOf(new PassThrough())).interrupted, true)
  const quiet = new PassThrough()
  quiet.write(`${JSON.stringify(good)}\n`.repeat(3))
  assert.equal((await stopImportOf(quiet)).interrupted, true)
})

test('the line of JSON in the README is an event', async () => {
  const readme = await readFile(new URL('../../../services/producer/README.md', import.meta.url), 'utf8')
  const line = /```json\n(\{.*\})\n```/.exec(readme)?.[1]
  assert.equal(eventJson.safeParse(JSON.parse(line!)).error, undefined)
})

test('an empty file is no events and no mistake', async (t) => {
  const path = join(await folder(t), 'empty')
  await writeFile(path, '')
  const { summary } = await dryRun(path)
  assert.deepEqual([summary.good, summary.bad], [0, 0])
})

test('a gzip file that was cut short is one clear sentence', async (t) => {
  const path = join(await folder(t), 'cut.gz')
  const lines = Array.from({ length: 20_000 }, (_, n) => JSON.stringify({ ...good, deviceSerial: `${n * 7919}` }))
  const packed = gzipSync(lines.join('\n'))
  await writeFile(path, packed.subarray(0, packed.length / 2))
  await assert.rejects(dryRun(path), { code: 'file_invalid', message: /can't be read beyond its first \d+ rows/ })
})

test('a missing file and a folder are one clear sentence', async (t) => {
  const path = await folder(t)
  await assert.rejects(dryRun(join(path, 'nothing')), { code: 'file_invalid', message: /can't be read/ })
  await assert.rejects(dryRun(path), { code: 'file_invalid', message: /is a folder/ })
})

test('a line beyond the bound is one bad line, wherever the chunks are cut', async () => {
  const long = 'x'.repeat(lineBytesMax + 1)
  for (const chunkBytes of [1_000, 65_536, 10_000_000]) {
    const content = Buffer.from(`{"a":1}\n${long}\n{"a":2}\n${'y'.repeat(lineBytesMax)}`)
    const chunks = Array.from({ length: Math.ceil(content.length / chunkBytes) }, (_, n) =>
      content.subarray(n * chunkBytes, (n + 1) * chunkBytes),
    )
    const rows = await Array.fromAsync(readJsonLines(Readable.from(chunks)))
    assert.deepEqual(
      rows.map(({ line, parsed }) => [line, 'reason' in parsed ? parsed.reason : parsed.json]),
      [
        [1, { a: 1 }],
        [2, `longer than ${lineBytesMax} bytes`],
        [3, { a: 2 }],
        [4, 'not JSON'],
      ],
    )
  }
})

test('a line that is not UTF-8 is a bad line', async () => {
  const rows = await Array.fromAsync(readJsonLines(Readable.from([Buffer.from([0x7b, 0xff, 0x7d])])))
  assert.deepEqual(rows[0]!.parsed, { reason: 'not UTF-8' })
})

test('the same text has the same id, of version 8', () => {
  const id = uuidFromText('1:{"a":1}')
  assert.deepEqual(id, uuidFromText('1:{"a":1}'))
  assert.notDeepEqual(id, uuidFromText('2:{"a":1}'))
  assert.equal(id[6]! >> 4, 8)
  assert.equal(id[8]! >> 6, 2)
})

async function readCsv(text: string) {
  const mapping = loadMapping('slurp')
  return Array.fromAsync(readCsvRows(Readable.from([Buffer.from(text)]), { mapping, lastDay, name: 'rows.csv' }))
}

test('CSV rows follow their mapping; a row with a column too many is a bad line', async () => {
  const rows = await readCsv(
    'slurp_id,intent,sentence\n7,iot_cleaning,"a, b"\n8,qa_maths,x,y\n9,qa_maths,"two\nlines"\n',
  )
  assert.deepEqual(
    rows.map(({ line, parsed }) => [line, 'reason' in parsed ? parsed.reason : 'good']),
    [
      [2, 'good'],
      [3, '4 columns, but the header has 3'],
      [5, 'good'],
    ],
  )
})

test('a CSV file without a column of the mapping is refused with the column', async () => {
  await assert.rejects(readCsv('id,intent\n1,qa_maths\n'), { message: /has no column slurp_id/ })
})

test('a mapped time lies within the days before the last one, whatever the number of rows', () => {
  const mapping = loadMapping('slurp')
  const times = Array.from({ length: 10_000 }, (_, index) => {
    const json = mapRow(mapping, { slurp_id: '1', intent: 'qa_maths' }, { rowNumber: index + 1, lastDay })
    return json['occurredAt'] as number
  })
  assert.ok(Math.min(...times) >= (lastDay - 13) * dayMs && Math.max(...times) < (lastDay + 1) * dayMs)
  assert.equal(new Set(times).size, times.length)
})

test('a wrong mapping names each mistake', async (t) => {
  const path = join(await folder(t), 'wrong.json')
  const shipped = JSON.parse(
    await readFile(new URL('../../../services/producer/mappings/slurp.json', import.meta.url), 'utf8'),
  ) as { fields: Record<string, unknown> }
  delete shipped.fields['intent']
  await writeFile(path, JSON.stringify({ fields: { ...shipped.fields, country: { derive: 'guess' }, mood: {} } }))
  assert.throws(() => loadMapping(path), { code: 'file_invalid', message: /fields\.country .*fields\.intent .*mood/ })
})

test(
  'all 5,007 real utterances are events that the taxonomy knows, and no sentence is among them',
  {
    skip: slurpMissing(),
  },
  async () => {
    const { summary, rejected } = await dryRun(slurpPath, { mapping: 'slurp' })
    assert.deepEqual(rejected, [])
    assert.equal(summary.good, 5_007)
    const taxonomy = loadTaxonomy(1).taxonomy
    const mapping = loadMapping('slurp')
    const ids = new Set<string>()
    const content = Readable.from([await readFile(slurpPath)])
    for await (const { parsed } of readCsvRows(content, { mapping, lastDay, name: slurpPath })) {
      assert.ok('json' in parsed)
      const json = eventJson.parse(parsed.json)
      assert.ok(!('sentence' in (parsed.json as object)))
      ids.add(json.eventId!)
      const { valueClass } = classify(taxonomy, { ...json, hasPurchase: json.purchase !== null })
      assert.notEqual(valueClass, 'unclassified', json.intent)
    }
    assert.equal(ids.size, 5_007)
  },
)

test('the side file appears with the first bad line and holds each as JSON', async (t) => {
  const path = join(await folder(t), 'rows.rejected.ndjson')
  const untouched = createRejectsFile(path)
  await untouched.close()
  await assert.rejects(readFile(path), { code: 'ENOENT' })
  const rejects = createRejectsFile(path)
  await rejects.write({ line: 3, reason: 'not JSON', text: 'x\ny' })
  await rejects.write({ line: 4, reason: 'not JSON', text: '' })
  await rejects.close()
  const lines = (await readFile(path, 'utf8')).trim().split('\n')
  assert.deepEqual(
    lines.map((line) => JSON.parse(line) as unknown),
    [
      { line: 3, reason: 'not JSON', text: 'x\ny' },
      { line: 4, reason: 'not JSON', text: '' },
    ],
  )
})

test('a side file that cannot be written is one clear sentence with what to do', async (t) => {
  const rejects = createRejectsFile(join(await folder(t), 'no', 'such', 'folder'))
  await assert.rejects(rejects.write({ line: 1, reason: 'x', text: '' }), { message: /name another by --rejects/ })
})
