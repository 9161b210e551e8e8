/** Where results are kept: `results.json` holds all runs, README.md and the chart are drawn from it. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { mistake } from '../../services/shared/domain/faults.ts'
import { renderChart } from './chart.ts'
import { renderTable } from './report.ts'
import { summarise, type BenchResults } from './summary.ts'

const resultsFile = join(import.meta.dirname, 'results.json')
const chartFile = join(import.meta.dirname, 'results.svg')
const readmeFile = join(import.meta.dirname, 'README.md')

export async function keepResults(results: BenchResults): Promise<void> {
  await writeFile(resultsFile, `${JSON.stringify(results, null, 2)}\n`)
  await draw(results)
}

/** Draws table and chart anew from the results that were kept last: for a change of their form. */
export async function drawKeptResults(): Promise<void> {
  const kept = JSON.parse(await readFile(resultsFile, 'utf8')) as BenchResults
  await draw(summarise(kept.runs, kept))
}

async function draw(results: BenchResults): Promise<void> {
  await writeFile(chartFile, renderChart(results))
  const chart = '![CPU seconds per million events of each contender](results.svg)'
  const readme = await readFile(readmeFile, 'utf8')
  await writeFile(readmeFile, fillMarks(fillMarks(readme, 'chart', chart), 'results', renderTable(results)))
}

/** The text with what stands between the marks `<!-- name -->` and `<!-- /name -->` replaced. */
export function fillMarks(text: string, name: string, content: string): string {
  const [from, to] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const [start, end] = [text.indexOf(from), text.indexOf(to)]
  if (start < 0 || end < start) {
    throw mistake(`README.md has lost its marks ${from} and ${to}: put them back`, 'file_invalid')
  }
  return `${text.slice(0, start + from.length)}\n\n${content}\n\n${text.slice(end)}`
}
