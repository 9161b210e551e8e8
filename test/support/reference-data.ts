import { readFileSync } from 'node:fs'

import { parse } from 'csv-parse/sync'

import type { Unit } from '../../services/shared/domain/stats/moments.ts'
import { sharedDataPath } from './shared-data.ts'

/** Published experiments and observational studies, as the functions under test take them. Sources: ../shared/data/README.md. */
type Row = Record<string, string>

export const nswFile = 'nsw_mixtape.csv'
export const cpsFile = 'cps_mixtape.csv'
export const hillstromFile = 'hillstrom.csv'
export const cardKruegerFile = 'card-krueger-public.dat'
export const prop99File = 'california_prop99.csv'

/** National Supported Work: the training programme's experiment (445), and the survey that others compare its trainees with. */
export function readTrainees(): Record<'treated' | 'control' | 'survey', Row[]> {
  const experiment = readCsv(nswFile)
  return {
    treated: experiment.filter(({ treat }) => treat === '1'),
    control: experiment.filter(({ treat }) => treat === '0'),
    survey: readCsv(cpsFile),
  }
}

/** Earnings of 1978, and of 1975 before the programme. */
export const earnings = (rows: readonly Row[]): Unit[] =>
  rows.map(({ re78, re75 }) => ({ outcome: Number(re78), earlier: Number(re75) }))

/** What people spent in the two weeks after an e-mail or none, and in the year before. */
export function readMailing(): Record<'men' | 'women' | 'none', Unit[]> {
  const rows = readCsv(hillstromFile)
  const of = (wanted: string) =>
    rows
      .filter(({ segment }) => segment === wanted)
      .map(({ spend, history }) => ({ outcome: Number(spend), earlier: Number(history) }))
  return { men: of('Mens E-Mail'), women: of('Womens E-Mail'), none: of('No E-Mail') }
}

/** Full-time equivalents of fast-food restaurants before and after New Jersey's minimum wage; NaN where not known. */
export function readRestaurants(): Record<'newJersey' | 'pennsylvania', { before: number; after: number }[]> {
  const rows = readFileSync(sharedDataPath(cardKruegerFile), 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((cells) => cells.length > 1)
  const number = (text: string | undefined) => (text === undefined || text === '.' ? NaN : Number(text))
  // Managers and full-time employees, and half of those who work part-time.
  const employed = (cells: readonly string[], at: number) =>
    number(cells[at + 2]) + number(cells[at]) + number(cells[at + 1]) / 2
  const of = (state: string) =>
    rows
      .filter((cells) => cells[3] === state)
      .map((cells) => ({ before: employed(cells, 11), after: employed(cells, 31) }))
  return { newJersey: of('1'), pennsylvania: of('0') }
}

/** Packs of cigarettes a head, by state and year; California's tax began in 1989. */
export function readCigarettes(): { isCalifornia: boolean; isAfter: boolean; packs: number }[] {
  return readCsv(prop99File, ';').map(({ State, Year, PacksPerCapita }) => ({
    ...{ isCalifornia: State === 'California', isAfter: Number(Year) >= 1989, packs: Number(PacksPerCapita) },
  }))
}

function readCsv(file: string, delimiter = ','): Row[] {
  return parse<Row>(readFileSync(sharedDataPath(file)), { columns: true, delimiter })
}
