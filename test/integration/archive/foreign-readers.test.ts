/** The archive's files are Avro for anyone: read by two implementations that know nothing of us. */
import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { basename, join } from 'node:path'
import { test } from 'node:test'

import { headerBytes } from '../../../services/shared/domain/wire.ts'
import { anyTime, archiveFolder, archiveVerbs, sendEverything } from '../../support/archive-case.ts'
import { fileTable, queryEngine } from '../../support/engine-file.ts'
import { pipelineCase } from '../../support/pipeline-case.ts'
import { pythonWith } from '../../support/python.ts'
import type { LoggedMessage } from '../../support/topic-log.ts'

/** Offset, time and key of each row, and its value: of an event what fastavro itself makes of the event's fields. */
const readAll = `
import io, json, sys
import fastavro
for path in sys.argv[1:]:
    with open(path, 'rb') as file:
        reader = fastavro.reader(file)
        schema = json.loads(reader.metadata['avro.schema'])
        event = next((field['type'] for field in schema['fields'] if field['name'] == 'event'), None)
        for row in reader:
            value = row.get('value')
            if event is not None:
                body = io.BytesIO()
                fastavro.schemaless_writer(body, event, row['event'])
                value = row['header'] + body.getvalue()
            hexed = lambda data: None if data is None else data.hex()
            print(json.dumps([path, row['offset'], row['timestampMs'], hexed(row['key']), hexed(value)]))
`

interface EngineRow {
  readonly offset: number
  readonly timestampMs: number
  readonly key: string | null
  readonly header: string
  readonly intent: string
  readonly household: string
}

test('foreign readers', async (t) => {
  const work = await pipelineCase(t, { topicConfigs: anyTime })
  await sendEverything(work, t)
  const dir = await archiveFolder(t)
  await archiveVerbs(work)('run', dir, '--range-messages', '2500')
  const log = (await work.readLog()).partitions[0]!
  const byOffset = new Map(log.map((message) => [message.offset, message]))
  const files = globSync(join(dir, '*/*/*.avro')).sort()
  assert.ok(files.length >= 6)
  const hex = (bytes: Buffer | null) => bytes?.toString('hex') ?? null

  await t.test('fastavro reads every file to its end, and makes the same bytes of the events', async (t) => {
    const python = await pythonWith(t, ['fastavro==1.13.1'])
    if (python === undefined) {
      return
    }
    const lines = (await python(readAll, files)).trimEnd().split('\n')
    const rows = lines.map((line) => JSON.parse(line) as [string, number, number, string | null, string | null])
    assert.deepEqual(
      rows.map(([, offset]) => offset).sort((a, b) => a - b),
      log.map(({ offset }) => offset),
    )
    let rewritten = 0
    for (const [path, offset, timestampMs, key, value] of rows) {
      const message = byOffset.get(offset)!
      assert.deepEqual([timestampMs, key], [message.timestampMs, hex(message.key)])
      if (value !== hex(message.value)) {
        // A varint of more bytes than it needs, or an array in another number of blocks: fastavro writes them shortest.
        rewritten += 1
        assert.match(basename(path), /^schema-/)
        assert.ok(value!.length < message.value!.length * 2)
      }
    }
    t.diagnostic(`${rows.length} messages; fastavro writes ${rewritten} of them in a shorter way than they were sent`)
    assert.ok(rewritten < rows.length / 20)
  })

  await t.test("ClickHouse' file() reads every file to its end, fields of the event by name", async () => {
    const found = new Map<number, EngineRow>()
    for (const path of files) {
      const isEvent = basename(path).startsWith('schema-')
      const fields = isEvent
        ? `lower(hex(header)) AS header, event.intent AS intent, lower(hex(event.household)) AS household`
        : `lower(hex(ifNull(value, ''))) AS header, reason AS intent, '' AS household`
      const rows = await queryEngine<EngineRow>(
        `SELECT offset, timestampMs, lower(hex(key)) AS key, ${fields} FROM ${fileTable(path, 'Avro')}`,
      )
      for (const row of rows) {
        assert.ok(!found.has(row.offset))
        found.set(row.offset, row)
        assertSame(row, byOffset.get(row.offset)!, isEvent)
      }
    }
    assert.equal(found.size, log.length)
  })

  function assertSame(row: EngineRow, message: LoggedMessage, isEvent: boolean): void {
    assert.deepEqual([row.timestampMs, row.key], [message.timestampMs, hex(message.key)])
    if (!isEvent) {
      assert.equal(row.header, hex(message.value) ?? '')
      return
    }
    assert.equal(row.header, hex(message.value!.subarray(0, headerBytes)))
    assert.ok(message.value!.includes(row.intent))
    assert.ok(message.value!.includes(Buffer.from(row.household, 'hex')))
  }
})
