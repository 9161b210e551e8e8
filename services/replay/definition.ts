import { z } from 'zod'

import type { FateSettings } from '../shared/domain/fate.ts'
import { mistake } from '../shared/domain/faults.ts'
import { sourceKinds } from './source.ts'

const count = z.int().min(0)

/**
 * What a replay is: everything that can change one of its rows. Fixed when it starts, so that the same command goes on after a
 * kill, and other processes join, without asking anybody what was meant.
 */
export const definitionSchema = z.strictObject({
  replay: z.string(),
  source: z.enum(sourceKinds),
  topic: z.string(),
  topicId: z.string(),
  group: z.string(),
  /** As they were typed; empty when left out. */
  asked: z.strictObject({ from: z.string(), to: z.string() }),
  /** By partition; `end` is one past the last offset. */
  ranges: z.array(z.strictObject({ partition: count, first: count, end: count })),
  taxonomy: z.strictObject({ version: count, hash: z.string() }),
  fates: z.strictObject({
    duplicateWindowOffsets: count,
    futureToleranceMs: count,
    ageMaxMs: count,
    eventBytesMax: count,
  } satisfies Record<keyof FateSettings, unknown>),
  codeVersion: z.string(),
  startedAt: z.string(),
})

export type Definition = z.infer<typeof definitionSchema>

/** What a command asks for: a definition but for what is fixed at the start. */
export type Asked = Omit<Definition, 'ranges' | 'startedAt'>

/** Throws one sentence when a command under the name of a replay asks for something else than what it is. */
export function assertSameReplay(stored: Definition, asked: Asked): void {
  const differences = differencesOf(stored, asked)
  if (differences.length > 0) {
    throw mistake(
      `replay ${stored.replay} was started with ${differences.map(([was]) => was).join(', ')}; this command has ${differences.map(([, is]) => is).join(', ')}: give the same, take another name, or \`npx intent-ledger replay drop ${stored.replay}\` first`,
    )
  }
}

/** What differs, in words: as it was, as it is asked for. */
function differencesOf(stored: Definition, asked: Asked): [string, string][] {
  const wording: readonly [string, (of: Asked) => string][] = [
    ['--from', ({ asked: { from } }) => from || 'left out'],
    ['--to', ({ asked: { to } }) => to || 'left out'],
    ['--source', ({ source }) => source],
    ['topic', ({ topic }) => topic],
    ['topic id', ({ topicId }) => topicId],
    ['group', ({ group }) => group],
    ['taxonomy', ({ taxonomy }) => `${taxonomy.version} (hash ${taxonomy.hash})`],
    ['DUPLICATE_WINDOW_OFFSETS', ({ fates }) => String(fates.duplicateWindowOffsets)],
    ['EVENT_BYTES_MAX', ({ fates }) => String(fates.eventBytesMax)],
    ['a future tolerance in ms of', ({ fates }) => String(fates.futureToleranceMs)],
    ['an age limit in ms of', ({ fates }) => String(fates.ageMaxMs)],
    ['code version', ({ codeVersion }) => codeVersion],
  ]
  return wording
    .filter(([, say]) => say(stored) !== say(asked))
    .map(([name, say]) => [`${name} ${say(stored)}`, `${name} ${say(asked)}`])
}
