import { auditedAtRandom, auditedByLabel } from '../../services/shared/domain/stats/audited-share.ts'
import { createRandom } from '../support/random-usage.ts'
import type { Estimate } from '../../services/shared/domain/stats/newcombe.ts'

export interface AuditScenario {
  method: 'random' | 'by label'
  /** The true share. */
  theta: number
  /** Audited events; half of them each where they are drawn by label. */
  events: number
  effectiveRequests: number
}

/** A classifier as good as one audit found ours. */
const SENSITIVITY = 0.967
const SPECIFICITY = 0.9937

/** How often the 95 % interval holds the true share, in per cent of the draws, and its median half-width beside the share. */
export function auditCoverage(
  { method, theta, events, effectiveRequests }: AuditScenario,
  { draws, seed }: { draws: number; seed: number },
) {
  const random = createRandom(seed)
  const p = theta * SENSITIVITY + (1 - theta) * (1 - SPECIFICITY)
  const ppv = (theta * SENSITIVITY) / p
  const omission = (theta * (1 - SENSITIVITY)) / (1 - p)
  const classified = binomialSampler(effectiveRequests, p)
  const monetisedInAudit = binomialSampler(events, theta)
  const samplers = new Map<string, (random: () => number) => number>()
  const draw = (trials: number, probability: number) => {
    const key = `${trials} ${probability}`
    const sampler = samplers.get(key) ?? binomialSampler(trials, probability)
    samplers.set(key, sampler)
    return { events: sampler(random), trials }
  }
  const half = events / 2
  let covered = 0
  const halfWidths: number[] = []
  let counted = 0
  for (let i = 0; i < draws; i++) {
    const share = { share: classified(random) / effectiveRequests, effectiveRequests }
    let found: Estimate
    if (method === 'by label') {
      found = auditedByLabel(share, { calledMonetised: draw(half, ppv), calledNotMonetised: draw(half, omission) })
    } else {
      const monetised = monetisedInAudit(random)
      // An audit without a monetised event has no interval.
      if (monetised === 0) continue
      found = auditedAtRandom(share, {
        monetised: draw(monetised, SENSITIVITY),
        notMonetised: draw(events - monetised, SPECIFICITY),
      })
    }
    counted++
    if (found.low <= theta && theta <= found.high) covered++
    halfWidths.push((found.high - found.low) / 2 / theta)
  }
  const relativeHalfWidth = halfWidths.sort((a, b) => a - b)[counted >> 1]!
  return { coverage: (100 * covered) / counted, relativeHalfWidth: 100 * relativeHalfWidth, counted }
}

/** Exact binomial numbers by the inverse of their distribution, laid out once from where nearly all of it lies. */
function binomialSampler(trials: number, p: number): (random: () => number) => number {
  if (p <= 0 || p >= 1) return () => (p >= 1 ? trials : 0)
  const spread = 10 * Math.sqrt(trials * p * (1 - p)) + 20
  const from = Math.max(0, Math.floor(trials * p - spread))
  const to = Math.min(trials, Math.ceil(trials * p + spread))
  const weights = new Float64Array(to - from + 1)
  const mode = Math.min(to, Math.max(from, Math.floor((trials + 1) * p)))
  weights[mode - from] = 1
  for (let k = mode; k < to; k++) weights[k + 1 - from] = (weights[k - from]! * (trials - k) * p) / ((k + 1) * (1 - p))
  for (let k = mode; k > from; k--) weights[k - 1 - from] = (weights[k - from]! * k * (1 - p)) / ((trials - k + 1) * p)
  let total = 0
  const upTo = weights.map((weight) => (total += weight))
  return (random) => {
    const target = random() * total
    let low = 0
    let high = upTo.length - 1
    while (low < high) {
      const middle = (low + high) >> 1
      if (upTo[middle]! > target) high = middle
      else low = middle + 1
    }
    return from + low
  }
}
