import type { FateSettings, RejectionReason } from '../shared/domain/fate.ts'
import { recordOf } from '../shared/domain/log-record.ts'
import type { StreamDefinition } from '../shared/domain/stream.ts'
import type { SchemaRegistry } from '../shared/io/schema-registry.ts'
import { batchFull, createGatherer } from '../shared/pipeline/gather.ts'
import type { NamedTaxonomy } from '../shared/pipeline/partition.ts'
import { createReader } from '../shared/pipeline/reader.ts'
import type { Candidate } from './candidates.ts'

export interface Rejection {
  readonly reason: RejectionReason
  readonly detail: string
}

/** Of each candidate: why it would be rejected again, or undefined when it would not. */
export type Rejudge = (candidates: readonly Candidate[], nowMs: number) => Promise<(Rejection | undefined)[]>

/**
 * Judges rejected messages anew, by the very code that rejected them. A copy is sent now, so the rules of age would measure it
 * against another time than they did at first: it must pass at both.
 *
 * Duplicates pass: whether one is a copy is for the classifier to say, which knows what stands before it.
 */
export function createRejudge(deps: {
  stream: StreamDefinition
  fates: FateSettings
  taxonomy: NamedTaxonomy
  registry: SchemaRegistry
}): Rejudge {
  let rejection: Rejection | undefined
  const gatherer = createGatherer({
    ...{ stream: deps.stream, fates: deps.fates, memory: { seenBefore: () => false } },
    onRejected: (reason, detail) => (rejection = { reason, detail }),
  })

  async function judge({ offset, key, value }: Candidate, timestampMs: number): Promise<Rejection | undefined> {
    rejection = undefined
    const record = recordOf({ offset, timestampMs, key, value })
    for (let answer = gatherer.add(record); answer !== -1; answer = gatherer.add(record)) {
      if (answer === batchFull) {
        gatherer.clear()
        continue
      }
      const schema = await deps.registry.schema(answer)
      gatherer.resolve(answer, 'fault' in schema ? schema : createReader(deps.stream, schema, deps.taxonomy.taxonomy))
    }
    return rejection
  }

  return async (candidates, nowMs) => {
    gatherer.clear()
    const rejections: (Rejection | undefined)[] = []
    for (const candidate of candidates) {
      rejections.push((await judge(candidate, candidate.recordedAtMs)) ?? (await judge(candidate, nowMs)))
    }
    return rejections
  }
}
