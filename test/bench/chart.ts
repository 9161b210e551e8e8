/** The one chart of README.md, as SVG: CPU seconds per million events of each contender, its process and ClickHouse apart. */
import { contenders } from './contender.ts'
import type { BenchResults, ContenderResult } from './summary.ts'

const width = 760
const barLeft = 200
const barWidth = 330
const rowHeight = 38
const barHeight = 18
const top = 56

/** Readable on light and dark pages; the same results give the same file. */
export function renderChart(results: BenchResults): string {
  const rows = [...results.contenders].sort((left, right) => totalOf(left) - totalOf(right))
  const scale = barWidth / Math.max(...rows.map(totalOf))
  const height = top + rows.length * rowHeight + 8
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="CPU seconds per million events">`,
    '<style>text{font:13px sans-serif;fill:#24292f}.note{fill:#57606a}.process{fill:#0969da}.server{fill:#d4a72c}',
    '@media(prefers-color-scheme:dark){text{fill:#e6edf3}.note{fill:#9198a1}}</style>',
    '<text x="8" y="18">CPU seconds per million events, medians; less is better</text>',
    legend(8, 'process', "the contender's process"),
    legend(200, 'server', 'ClickHouse with its merges'),
    ...rows.map((row, index) => bar(row, { y: top + index * rowHeight, scale })),
    '</svg>',
    '',
  ].join('\n')
}

function bar(row: ContenderResult, { y, scale }: { y: number; scale: number }): string {
  const process = row.processCpuPerMillion.median * scale
  const server = row.clickHouseAndMergesCpuPerMillion.median * scale
  const textY = y + barHeight - 4
  const figures = `${totalOf(row).toFixed(1)} s · ${Math.round(row.eventsPerSecond.median).toLocaleString('en')} events/s`
  return [
    `<text x="8" y="${textY}">${contenders[row.contender].title}</text>`,
    rectangle('process', { x: barLeft, y, width: process, height: barHeight }),
    rectangle('server', { x: barLeft + process, y, width: server, height: barHeight }),
    `<text class="note" x="${(barLeft + process + server + 8).toFixed(1)}" y="${textY}">${figures}</text>`,
  ].join('\n')
}

function legend(x: number, part: 'process' | 'server', name: string): string {
  return `${rectangle(part, { x, y: 30, width: 12, height: 12 })}<text class="note" x="${x + 18}" y="41">${name}</text>`
}

function rectangle(part: string, box: { x: number; y: number; width: number; height: number }): string {
  return `<rect class="${part}" x="${box.x.toFixed(1)}" y="${box.y}" width="${box.width.toFixed(1)}" height="${box.height}"/>`
}

function totalOf(row: ContenderResult): number {
  return row.processCpuPerMillion.median + row.clickHouseAndMergesCpuPerMillion.median
}
