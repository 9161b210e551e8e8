import assert from 'node:assert/strict'
import { test } from 'node:test'

import { renderChart } from '../../bench/chart.ts'
import type { ContenderName } from '../../bench/contender.ts'
import { fillMarks } from '../../bench/keep.ts'
import { renderTable } from '../../bench/report.ts'
import type { Run } from '../../bench/run.ts'
import { summarise } from '../../bench/summary.ts'

/** A million messages; seconds of wall, of the process' CPU and of ClickHouse's. */
function run(contender: ContenderName, round: number, [wall, cpu, clickHouse]: [number, number, number]): Run {
  return {
    contender,
    round,
    process: {
      messages: 1_000_000,
      whole: { wallSeconds: wall, cpuSeconds: cpu },
      drain: { wallSeconds: wall, cpuSeconds: cpu },
      memoryPeakMb: 100,
    },
    drained: { clickHouseSeconds: clickHouse, kafkaSeconds: 1 },
    quiet: { clickHouseSeconds: clickHouse, kafkaSeconds: 1 },
    stored: { rows: 1, events: 1, checksum: '1', parts: 1 },
  }
}

const results = summarise(
  [
    run('ours', 0, [5, 2, 2]),
    run('engine-avro', 0, [10, 0, 12]),
    run('engine-avro', 1, [20, 0, 24]),
    run('ours', 1, [5, 2, 2]),
    run('ours', 2, [10, 4, 4]),
    run('engine-avro', 2, [10, 0, 32]),
  ],
  { at: '2026-01-01T00:00:00Z', machine: 'a machine', command: 'npm run bench', events: 1, messages: 1, rounds: 3 },
)

test('compares ours with another round by round', () => {
  assert.deepEqual(results.ratios, [
    {
      against: 'engine-avro',
      eventsPerCpuSecond: { median: 4, low: 3, high: 6 },
      eventsPerSecond: { median: 2, low: 1, high: 4 },
    },
  ])
})

test('shows medians with both ends, and no process where there is none', () => {
  const lines = renderTable(results).split('\n')
  const row = (name: string) => lines.find((line) => line.startsWith(`| ${name}`))
  assert.equal(
    row('events/s'),
    '| events/s (wall, until the last message is stored) | 200,000 (100,000 to 200,000) | 100,000 (50,000 to 100,000) |',
  )
  assert.match(row('its process: CPU') ?? '', /\| 2\.00 \(2\.00 to 4\.00\) \| none \|$/)
  assert.equal(
    row('of Kafka engine, AvroConfluent'),
    '| of Kafka engine, AvroConfluent | 4.00 (3.00 to 6.00) | 2.00 (1.00 to 4.00) |',
  )
})

test('draws a bar of both parts for each contender, the cheapest first', () => {
  const chart = renderChart(results)
  assert.ok(chart.indexOf('this project') < chart.indexOf('Kafka engine, AvroConfluent'))
  assert.match(chart, /4\.0 s · 200,000 events\/s/)
  assert.match(chart, /24\.0 s · 100,000 events\/s/)
  assert.equal(renderChart(results), chart)
})

test('replaces what stands between its marks and nothing else', () => {
  const page = 'before\n<!-- a -->\nold\n<!-- /a -->\nafter\n'
  assert.equal(fillMarks(page, 'a', 'new'), 'before\n<!-- a -->\n\nnew\n\n<!-- /a -->\nafter\n')
  assert.throws(() => fillMarks(page, 'b', 'new'), /<!-- b -->/)
})
