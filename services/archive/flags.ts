import { z } from 'zod'

import { mistake } from '../shared/domain/faults.ts'
import { parseLogBound, type LogBound } from '../shared/domain/log-bound.ts'
import { flagFaults, isPath, streamName, tableOrJson as format, whole } from '../shared/io/flag-kinds.ts'
import type { TableOrJson } from '../shared/io/render.ts'
import type { RangeLimits } from './run.ts'

const runFlags = z.strictObject({
  from: z.string().optional(),
  to: z.string().optional(),
  stream: streamName.optional(),
  follow: z.boolean().default(false),
  rangeMessages: whole(1, 100_000_000).default(1_000_000),
  rangeMb: whole(1, 4_096).default(256),
  rangeSeconds: whole(1, 86_400).default(300),
  format,
})

export interface RunFlags {
  readonly stream: string | undefined
  readonly from: LogBound | undefined
  readonly to: LogBound | undefined
  readonly follow: boolean
  readonly limits: RangeLimits
  readonly format: TableOrJson
}

/** All mistakes come back together, in one sentence. */
export function parseRunFlags(dir: string, given: unknown): RunFlags {
  const flags = parsed('archive run', dir, runFlags, given)
  if (flags.follow && flags.to !== undefined) {
    throw mistake('archive run: --follow has no end, so leave --to out')
  }
  const bound = (option: string, text: string | undefined) =>
    text === undefined ? undefined : parseLogBound(`archive run: ${option}`, text)
  return {
    ...{ from: bound('--from', flags.from), to: bound('--to', flags.to), follow: flags.follow, format: flags.format },
    stream: flags.stream,
    limits: { messages: flags.rangeMessages, bytes: flags.rangeMb * 1_048_576, ageMs: flags.rangeSeconds * 1_000 },
  }
}

export function parseVerifyFlags(dir: string, given: unknown): { format: TableOrJson } {
  return parsed('archive verify', dir, z.strictObject({ format }), given)
}

function parsed<T extends z.ZodType>(verb: string, dir: string, schema: T, given: unknown): z.output<T> {
  const result = schema.safeParse(given)
  const faults = [
    ...(isPath(dir) ? [] : ['the folder is no path']),
    ...(result.success ? [] : flagFaults(result.error)),
  ]
  if (!result.success || faults.length > 0) {
    throw mistake(`${verb}: ${faults.join('; ')}`)
  }
  return result.data
}
