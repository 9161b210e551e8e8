import { canonicalHash } from '../shared/io/canonical-hash.ts'
import type { Rule } from './rule.ts'

/**
 * Names what a rule asks of whom. While it stays the same, an edited rule goes on where it stood: another limit, confidence or
 * text is no reason to forget what fires. With another window, cohort or condition its states mean nothing: it begins anew.
 */
export function identityOf({ measure, filter, by, window, soFar, condition }: Rule): string {
  const way = condition.kind === 'threshold' ? condition.side : condition.direction
  return canonicalHash({ measure, filter, by, window: [window, soFar], condition: [condition.kind, way] })
}
