import { z } from 'zod'

import { mistake } from '../shared/domain/faults.ts'
import { tableOrJson } from '../shared/io/flag-kinds.ts'
import { describeFlagMistakes, parseLastDay } from './simulation-options.ts'

const flags = z.strictObject({
  mapping: z.string().min(1, 'must not be empty').optional(),
  until: z.string().optional(),
  rejects: z.string().min(1, 'must not be empty').optional(),
  schemaVersion: z.enum(['1', '2'], 'must be 1 or 2').default('2'),
  dryRun: z.boolean().default(false),
  format: tableOrJson,
})

export interface ImportSettings {
  /** A shipped mapping's name or a path; undefined for NDJSON. */
  readonly mapping: string | undefined
  /** Days since 1970-01-01 UTC. */
  readonly lastDay: number
  readonly rejectsPath: string
  readonly schemaVersion: 1 | 2
  readonly dryRun: boolean
  readonly format: 'table' | 'json'
}

/** Checks the flags of `import`; all mistakes come back together. */
export function parseImportFlags(path: string, given: unknown, nowMs: number): ImportSettings {
  const parsed = flags.safeParse(given)
  if (!parsed.success) {
    throw mistake(`import: ${describeFlagMistakes(parsed.error)}`)
  }
  const { mapping, rejects, schemaVersion, dryRun, format } = parsed.data
  if (mapping === undefined && /\.csv(\.gz)?$/i.test(path)) {
    throw mistake(`import: ${path} looks like CSV, which needs --mapping: a mapping file, or slurp`)
  }
  return {
    mapping,
    lastDay: parseLastDay('import', parsed.data.until, nowMs),
    rejectsPath: rejects ?? `${path === '-' ? 'stdin' : path}.rejected.ndjson`,
    schemaVersion: schemaVersion === '1' ? 1 : 2,
    dryRun,
    format,
  }
}
