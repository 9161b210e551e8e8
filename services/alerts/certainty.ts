import { sequenceBoundary } from '../shared/domain/stats/confidence-sequence.ts'
import { normalCdf, normalQuantile } from '../shared/domain/stats/normal.ts'
import { studentQuantile } from '../shared/domain/stats/student-t-distribution.ts'
import type { Rule } from './rule.ts'

/** How far an interval reaches at the rule's confidence, in standard errors, and what a p-value of Student's t is worth. */
export interface Certainty {
  readonly criticalValue: number
  readonly pValue: (ofOneLook: number) => number
}

/**
 * A window that is judged once keeps Student's. One that is judged again and again while it fills (`Rule.soFar`) takes those of a
 * confidence sequence, narrowest when the window is full, so that with the rule's confidence none of its looks is wrong.
 * The sequence is one of normal errors: of a t statistic the normal deviate with the same p-value is taken.
 *
 * @param passed part of the longer window, above 0 and at most 1
 */
export function certaintyOf({ soFar, confidence }: Rule, degreesOfFreedom: number, passed = 1): Certainty {
  if (soFar === null) {
    return { criticalValue: studentQuantile(degreesOfFreedom, confidence), pValue: (ofOneLook) => ofOneLook }
  }
  const boundary = sequenceBoundary(passed, { alpha: 1 - confidence, tunedFor: 1 })
  return {
    criticalValue: studentQuantile(degreesOfFreedom, 1 - 2 * normalCdf(-boundary.criticalValue)),
    pValue: (ofOneLook) => (ofOneLook > 0 ? boundary.pValue(normalQuantile(ofOneLook / 2)) : 0),
  }
}
