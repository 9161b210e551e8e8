import { correctedShare, sampleFor, type AuditedSample } from '../shared/domain/audited-sample.ts'
import { shareInterval } from '../shared/domain/share-interval.ts'
import type { Estimate } from '../shared/domain/stats/newcombe.ts'
import { cohortKey } from './inputs.ts'
import type { Panel } from './panel.ts'
import type { Rule } from './rule.ts'
import type { Transition } from './tick.ts'

/** The share that people would find, at the rule's confidence, and the audit that says so. No condition is judged by it. */
export interface Corrected extends Estimate {
  readonly audit: string
}

/** Of each cohort that is judged in a window, as far as an audit corrects the rule's measure. `samples` come latest first. */
export function correctionsOf(
  rule: Rule,
  panel: Panel,
  samples: readonly AuditedSample[],
  taxonomyVersion: number,
): (of: Pick<Transition, 'cohort' | 'finding'>) => Corrected | null {
  const definition = rule.measure === 'strict_share' ? 'strict' : rule.measure === 'broad_share' ? 'broad' : null
  const sample = definition === null ? undefined : sampleFor(samples, definition, taxonomyVersion)
  if (definition === null || sample === undefined) {
    return () => null
  }
  const cohorts = new Map(panel.map(({ key, windows }) => [key, windows.now]))
  return ({ cohort, finding }) => {
    const known = cohort !== null && finding?.insufficient === null
    const window = known ? cohorts.get(cohortKey(cohort)) : undefined
    const found =
      window === undefined ? null : correctedShare(shareInterval(window.total), sample, definition, rule.confidence)
    return found === null ? null : { ...found, audit: sample.audit }
  }
}
