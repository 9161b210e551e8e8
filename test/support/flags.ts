import { parseArgs, type ParseArgsConfig } from 'node:util'

import type { z } from 'zod'

import { mistake } from '../../services/shared/domain/faults.ts'

/** What a command of the tests was given, or undefined when it was --help. Throws one sentence for a flag it doesn't have. */
export function parseFlags(
  command: string,
  args: string[],
  flags: NonNullable<ParseArgsConfig['options']>,
): Record<string, unknown> | undefined {
  let values: Record<string, unknown>
  try {
    values = parseArgs({ args, options: { ...flags, help: { type: 'boolean', short: 'h' } } }).values
  } catch (thrown) {
    throw mistake(`${command}: ${(thrown as Error).message}`)
  }
  return values['help'] === true ? undefined : values
}

/** Throws one sentence that names each flag whose value is wrong. */
export function checkFlags<T>(command: string, format: z.ZodType<T>, values: unknown): T {
  const parsed = format.safeParse(values)
  if (parsed.success) {
    return parsed.data
  }
  const said = parsed.error.issues.map(({ path, message }) => `--${path.join('.')}: ${message}`)
  throw mistake(`${command}: ${said.join('; ')}`)
}
