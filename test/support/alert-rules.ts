import type { Rule } from '../../services/alerts/rule.ts'

/** A rule that fires at once when the broad share has surely fallen by a tenth. */
export function makeRule(over: Partial<Rule>): Rule {
  return {
    ...{ name: 'broad_share_falls', measure: 'broad_share', filter: {}, by: [], window: 'day', soFar: null },
    condition: { kind: 'change', direction: 'drop', least: 0.1, unit: 'relative' },
    baseline: { weeks: 6, centre: 'mean' },
    ...{ mix: null, minimumHouseholds: 100, minimumRequests: 1_000, confidence: 0.99, forWindows: 1 },
    ...{ keepFiringForWindows: 0, hysteresis: 0.2, severity: 'warning', labels: {}, annotations: {} },
    ...over,
  }
}
