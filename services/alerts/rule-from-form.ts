import { numberOfShare } from '../shared/io/form-kinds.ts'
import { windowMs, type Condition, type Rule } from './rule.ts'
import { durationMs, placeholder } from './rule-contradictions.ts'
import type { RuleForm } from './rules-schema.ts'

/** A rule as the engine reads it, of a form without mistakes: defaults that depend on other fields, plain numbers. */
export function ruleFromForm(form: RuleForm): Rule {
  const rejected = form.measure === 'rejected_ratio'
  const window = form.every ?? form.window
  const windows = (duration: string | 0) => durationMs(duration) / windowMs[window]
  return {
    name: form.name,
    measure: form.measure,
    filter: filterOf(form.filter),
    by: form.by,
    window,
    soFar: form.every === undefined || form.window === 'hour' ? null : form.window,
    condition: conditionOf(form.condition),
    baseline: form.baseline,
    mix: mixOf(form),
    minimumHouseholds: form.minimum.households ?? (rejected ? 0 : householdsMinDefault),
    minimumRequests: form.minimum.requests,
    confidence: numberOfShare(form.confidence),
    // As Prometheus means it: pending since the end of the first window, firing once that is `for` ago.
    forWindows: windows(form.for) + 1,
    keepFiringForWindows: windows(form.keepFiringFor),
    hysteresis: numberOfShare(form.hysteresis),
    severity: form.severity,
    labels: form.labels,
    annotations: Object.fromEntries(
      Object.entries(form.annotations).map(([name, text]) => [name, text.replaceAll(placeholder, '{{$1}}')]),
    ),
  }
}

const householdsMinDefault = 100
const driftDefaults = { k: 0.5, h: 8 }
const directions = { drops: 'drop', rises: 'rise', changes: 'either', either: 'either' } as const

function filterOf({ product, cohort_month, country, plans }: RuleForm['filter']): Rule['filter'] {
  const list = typeof plans === 'string' ? plans.split(/, ?/) : plans
  return {
    ...(product === undefined ? {} : { product }),
    ...(cohort_month === undefined ? {} : { cohort_month }),
    ...(country === undefined ? {} : { country }),
    ...(list === undefined ? {} : { plans: [...new Set(list)].sort().join(',') }),
  }
}

function conditionOf(form: RuleForm['condition']): Condition {
  for (const side of ['below', 'above'] as const) {
    const given = form[side]
    if (given !== undefined) {
      return { kind: 'threshold', side, value: numberOfShare(given) }
    }
  }
  for (const name of ['drops', 'rises', 'changes'] as const) {
    const given = form[name]
    if (given !== undefined) {
      const unit = typeof given === 'string' ? 'relative' : 'absolute'
      return { kind: 'change', direction: directions[name], least: numberOfShare(given), unit }
    }
  }
  const { drifts = 'either', k = driftDefaults.k, h = driftDefaults.h } = form
  return { kind: 'drift', direction: directions[drifts], k, h }
}

function mixOf({ measure, mix, filter, by }: RuleForm): Rule['mix'] {
  if (mix !== undefined) {
    return mix === 'none' ? null : mix
  }
  const isShare = measure === 'strict_share' || measure === 'broad_share'
  return isShare && filter.product === undefined && !by.includes('product') ? 'product' : null
}
