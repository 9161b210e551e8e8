/** Views to files, and what a notebook sees: the same numbers as the command's, whoever reads them. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import type { ExportSidecar } from '../../../services/report/export.ts'
import { productVersion } from '../../../services/shared/io/product-version.ts'
import { viewsDatabase } from '../../../services/shared/io/settings.ts'
import { fileTable, queryEngine } from '../../support/engine-file.ts'
import { pipelineCase } from '../../support/pipeline-case.ts'
import { pythonWith } from '../../support/python.ts'
import { reportVerbs } from '../../support/report-verbs.ts'

/** As anyone would in a notebook: ClickHouse' own client for Python, user analyst, the view by name. */
const notebook = `
import json, os
import clickhouse_connect
client = clickhouse_connect.get_client(
    host=os.environ['CLICKHOUSE_HOST'], port=int(os.environ['CLICKHOUSE_PORT']),
    username='analyst', password=os.environ['CLICKHOUSE_PASSWORD'])
result = client.query(
    'SELECT * FROM ' + os.environ['VIEWS'] + """.usage_share(from = {from:Date}, to = {to:Date}, by = 'product,cohort_month',
       product = '', cohort = '', country = '', plans = 'any')
       ORDER BY product, cohort_month, country, plans, day, taxonomy_version""",
    parameters={'from': os.environ['FROM'], 'to': os.environ['TO']})
print(json.dumps([dict(zip(result.column_names, row)) for row in result.result_rows]))
`

const engineFormats = { parquet: 'Parquet', csv: 'CSVWithNames', avro: 'Avro' } as const

test('exports, and the notebook', async (t) => {
  const work = await pipelineCase(t, { partitions: 2 })
  await work.simulate({ households: 150, days: 4 })
  await work.assertDrained([work.startInProcess()])
  const folder = await mkdtemp(join(tmpdir(), 'intent-ledger-export-'))
  t.after(() => rm(folder, { recursive: true }))
  const run = reportVerbs(work, t)
  const cli = async (...words: string[]) => (await run(...words)).stdout
  const share = JSON.parse(await cli('share', '--by', 'product,cohort_month', '--format', 'json')) as {
    window: { from: string; to: string }
    rows: Record<string, string | number | boolean | null>[]
  }
  const rows = share.rows.map((row) => ({ ...row, suppressed: Number(row['suppressed']) }))
  assert.ok(rows.some(({ suppressed }) => suppressed === 1) && rows.some(({ suppressed }) => suppressed === 0))
  const window = ['--from', share.window.from, '--to', share.window.to]

  for (const [format, engineFormat] of Object.entries(engineFormats)) {
    await t.test(`${format} holds the rows that share prints, hidden ones hidden`, async () => {
      const file = join(folder, `share.${format}`)
      const words = ['--view', 'usage_share', '--by', 'product,cohort_month', '--format', format, ...window]
      assert.match(await cli('export', file, ...words), new RegExp(`^${rows.length} rows of usage_share in `))
      const read = await queryEngine<object>(`SELECT * FROM ${fileTable(file, engineFormat)}`)
      // A CSV has no null in its types, and says no more of a number than its digits.
      const plain = (row: object) =>
        JSON.stringify(Object.entries(row).map(([name, value]) => [name, String(value ?? '')]))
      assert.deepEqual(read.map(plain), rows.map(plain))

      const sidecar = JSON.parse(await readFile(`${file}.json`, 'utf8')) as ExportSidecar
      const bytes = await readFile(file)
      assert.equal(sidecar.sha256, createHash('sha256').update(bytes).digest('hex'))
      assert.deepEqual(
        [sidecar.rows, sidecar.bytes, sidecar.taxonomyVersions, sidecar.productVersion],
        [rows.length, bytes.length, [1], productVersion],
      )
      const { from, to } = share.window
      const filters = { by: 'product,cohort_month', product: '', cohort: '', country: '', plans: 'any' }
      assert.deepEqual(sidecar.parameters, { from, to, ...filters })
      const marks = await work.admin.watermarks(work.topic)
      const stored = sidecar.source.partitions as { partition: number; nextOffset: number }[]
      assert.deepEqual(
        stored.map(({ partition, nextOffset }) => [partition, nextOffset]),
        marks.map(({ partition, high }) => [partition, high]),
      )
      assert.equal(sidecar.source.grewMeanwhile, false)
      // The query is one that anybody may ask again.
      const again = await work.clickHouse.bytes(sidecar.query, sidecar.parameters)
      assert.ok(format === 'avro' || again.equals(bytes))
    })
  }

  await t.test('every view goes into every format', async () => {
    const counts: string[] = []
    const said: string[] = []
    for (const [view, column] of [
      ['top_intents', 'households'],
      ['purchases', 'purchases'],
      ['freshness', 'next_offset'],
    ] as const) {
      for (const [format, engineFormat] of Object.entries(engineFormats)) {
        const file = join(folder, `${view}.${format}`)
        const days = view === 'freshness' ? [] : window
        said.push(await cli('export', file, '--view', view, '--format', format, ...days))
        const sums = `count() AS rows, toUInt64(sum(${column})) AS sum`
        counts.push(`SELECT ${said.length} AS number, ${sums} FROM ${fileTable(file, engineFormat)}`)
      }
    }
    const found = await queryEngine<{ number: number; rows: number; sum: number }>(
      `SELECT * FROM (${counts.join(' UNION ALL ')}) ORDER BY number`,
    )
    for (const [index, { rows, sum }] of found.entries()) {
      assert.ok(said[index]!.startsWith(`${rows} row`), `${rows}: ${said[index]}`)
      // The three formats of a view say the same.
      assert.ok(rows > 0 && sum > 0 && sum === found[index - (index % 3)]!.sum)
    }
    assert.equal(found.length, 9)
  })

  await t.test(
    'a file that is there stays, unless --force says otherwise; a refused export leaves nothing',
    async () => {
      const file = join(folder, 'share.csv')
      const before = await readdir(folder)
      for (const [words, said] of [
        [[file, '--view', 'usage_share'], /share\.csv is there already; add --force to replace it/],
        [[join(folder, 'none', 'x'), '--view', 'usage_share'], /none\/x can't be written: ENOENT/],
        [
          [join(folder, 'x'), '--view', 'intent_events'],
          /--view must be usage_share, top_intents, purchases, freshness/,
        ],
        [
          [join(folder, 'x'), '--view', 'top_intents', '--cohort', '2026-03'],
          /top_intents has no --cohort; it takes --from, --to, --by, --product, --country, --value-class/,
        ],
        [[join(folder, 'x'), '--view', 'freshness', '--from', '2026-03-01'], /freshness has no --from/],
        [
          [join(folder, 'x'), '--view', 'top_intents', '--by', 'day'],
          /--by has no dimension day; top_intents has product, country, or none/,
        ],
      ] as const) {
        await assert.rejects(cli('export', ...words), said)
      }
      assert.deepEqual(await readdir(folder), before)
      await cli('export', file, '--view', 'usage_share', '--format', 'csv', '--force')
      assert.equal((await readFile(file, 'utf8')).trimEnd().split('\n').length, 2)
    },
  )

  await t.test('share and interval in a notebook are those of the command', async (t) => {
    const python = await pythonWith(t, ['clickhouse-connect==1.12.0'])
    if (python === undefined) {
      return
    }
    const { hostname, port } = new URL(work.stack.clickhouseUrl)
    const printed = await python(notebook, [], {
      ...{ CLICKHOUSE_HOST: hostname, CLICKHOUSE_PORT: port, VIEWS: viewsDatabase(work.database) },
      ...{ CLICKHOUSE_PASSWORD: work.stack.secrets.analystPassword, FROM: share.window.from, TO: share.window.to },
    })
    assert.deepEqual(JSON.parse(printed), rows)
    t.diagnostic(`${rows.length} cells, equal to the last digit`)
  })
})
