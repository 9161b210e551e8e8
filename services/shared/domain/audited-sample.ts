import { effectiveRequestsOf } from './share-interval.ts'
import { auditedAtRandom, auditedByLabel } from './stats/audited-share.ts'
import type { Estimate } from './stats/newcombe.ts'
import { isMonetised, type ShareDefinition, type ValueClass } from './taxonomy.ts'

/**
 * How audited events were chosen. By label: some of those that the classifier calls strict (or broad) and some of those that it
 * does not, each part at random. Such a sample says nothing of the other definition, whose events it holds in no known proportion.
 */
export const drawings = ['random', 'by-strict-label', 'by-broad-label'] as const
export type Drawing = (typeof drawings)[number]

/** How many audited events are monetised by people (`said`), by the classifier (`called`), and by both. */
export interface Agreement {
  readonly said: number
  readonly called: number
  readonly both: number
}

/** One audit's events of one taxonomy version, one event a household. */
export interface AuditedSample extends Readonly<Record<ShareDefinition, Agreement>> {
  readonly audit: string
  readonly drawn: Drawing
  /** UTC, as ClickHouse prints it. */
  readonly loadedAt: string
  readonly taxonomyVersion: number
  readonly events: number
}

/** Counts an audit's events as the view `audited_samples` does. */
export function agreementOf(
  events: readonly { readonly trueClass: ValueClass; readonly valueClass: ValueClass }[],
  definition: ShareDefinition,
): Agreement {
  const said = events.filter(({ trueClass }) => isMonetised(trueClass, definition))
  return {
    said: said.length,
    called: events.filter(({ valueClass }) => isMonetised(valueClass, definition)).length,
    both: said.filter(({ valueClass }) => isMonetised(valueClass, definition)).length,
  }
}

/** The sample that corrects a share: the latest that can. `samples` come latest first. */
export function sampleFor(
  samples: readonly AuditedSample[],
  definition: ShareDefinition,
  taxonomyVersion: number,
): AuditedSample | undefined {
  return samples.find((sample) => sample.taxonomyVersion === taxonomyVersion && corrects(sample, definition))
}

/** A random sample must hold events of either kind by people, one by label of either kind by the classifier. */
function corrects({ drawn, events, ...agreements }: AuditedSample, definition: ShareDefinition): boolean {
  const { said, called } = agreements[definition]
  const counted = drawn === 'random' ? said : called
  return (drawn === 'random' || drawn === `by-${definition}-label`) && counted > 0 && counted < events
}

/**
 * The share that people would find in a cohort, by what they found in the sample (`auditedAtRandom`, `auditedByLabel`).
 *
 * The sample is of everybody. So a random one takes it that the classifier finds and mistakes in each cohort as many as over all;
 * one by label that of those it calls monetised, and of the others, the same part truly is.
 *
 * @param shown the share and its 95 % interval as readers see it: nothing is corrected where a bound is left out
 * @returns null where there is nothing to correct, or nothing to correct it by
 */
export function correctedShare(
  shown: { readonly share: number | null; readonly low: number | null; readonly high: number | null },
  sample: AuditedSample | undefined,
  definition: ShareDefinition,
  confidence = 0.95,
): Estimate | null {
  const { share, low, high } = shown
  if (share === null || low === null || high === null || sample === undefined) {
    return null
  }
  const classified = { share, effectiveRequests: effectiveRequestsOf({ share, low, high }) }
  const { said, called, both } = sample[definition]
  if (sample.drawn === 'random') {
    const notMonetised = { events: sample.events - said - called + both, trials: sample.events - said }
    return auditedAtRandom(classified, { monetised: { events: both, trials: said }, notMonetised }, confidence)
  }
  const calledNotMonetised = { events: said - both, trials: sample.events - called }
  return auditedByLabel(
    classified,
    { calledMonetised: { events: both, trials: called }, calledNotMonetised },
    confidence,
  )
}
