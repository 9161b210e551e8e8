import { MIN_HOUSEHOLDS } from '../shared/domain/suppression.ts'
import { numberOfShare } from '../shared/io/form-kinds.ts'
import type { FieldMistake } from '../shared/io/yaml-file.ts'
import { annotationValues, windowMs, type Measure } from './rule.ts'
import { changes, type RuleForm } from './rules-schema.ts'

/**
 * What a rule says against itself, of the fields that are readable: those with a mistake of their own are left out, so that
 * all that is known to be wrong is told at once.
 */
export function contradictionsOf(rule: Partial<RuleForm>): FieldMistake[] {
  return [
    ...dimensionFaults(rule),
    ...rejectedFaults(rule),
    ...conditionFaults(rule),
    ...confidenceFaults(rule),
    ...everyFaults(rule),
    ...durationFaults(rule),
    ...textFaults(rule),
  ]
}

/** Milliseconds of a duration in the rules file's form. */
export function durationMs(given: string | 0): number {
  return Number.parseInt(String(given), 10) * (unitMs[String(given).slice(-1)] ?? 0)
}

const unitMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: windowMs.day, w: windowMs.week }
const durationMaxMs = 52 * windowMs.week

/** Measures that are a part of a whole, so between 0 and 1. */
const isRatio = (measure: Measure) => measure !== 'requests_per_household'

function dimensionFaults({ measure, by, filter, mix }: Partial<RuleForm>): FieldMistake[] {
  const faults: FieldMistake[] = []
  by?.forEach((dimension, at) => {
    if (by.indexOf(dimension) < at) {
      faults.push({ path: ['by', at], says: `names ${dimension} a second time; take it out` })
    }
    if (dimension === 'partition' && measure !== undefined && measure !== 'rejected_ratio') {
      faults.push({
        path: ['by', at],
        says: `is partition, which only rejected_ratio knows; take product, cohort_month, country, plans`,
      })
    }
  })
  if (mix !== undefined && mix !== 'none' && measure === 'requests_per_household') {
    faults.push({
      path: ['mix'],
      says: `is ${mix}, but a household may stand in two of them and would count twice; requests_per_household takes none`,
    })
  } else if (mix !== undefined && mix !== 'none' && measure !== 'rejected_ratio') {
    if (filter?.[mix] !== undefined) {
      faults.push({
        path: ['mix'],
        says: `is ${mix}, which filter fixes, so that its mix can't shift; take another dimension, or none`,
      })
    }
    if (by?.includes(mix)) {
      faults.push({
        path: ['mix'],
        says: `is ${mix}, which by tells apart already, so that its mix can't shift; take another dimension, or none`,
      })
    }
  }
  return faults
}

/** A message that is no event has a partition and a time, and nothing else that could be asked for. */
function rejectedFaults({ measure, by, filter, mix, minimum }: Partial<RuleForm>): FieldMistake[] {
  if (measure !== 'rejected_ratio') {
    return []
  }
  const faults: FieldMistake[] = []
  by?.forEach((dimension, at) => {
    if (dimension !== 'partition') {
      faults.push({
        path: ['by', at],
        says: `is ${dimension}, which a rejected message does not have; rejected_ratio takes [partition] or []`,
      })
    }
  })
  for (const dimension of Object.keys(filter ?? {})) {
    faults.push({
      path: ['filter', dimension],
      says: 'is something a rejected message does not have; rejected_ratio takes no filter',
    })
  }
  if (mix !== undefined && mix !== 'none') {
    faults.push({
      path: ['mix'],
      says: `is ${mix}, which a rejected message does not have; rejected_ratio takes no mix`,
    })
  }
  if ((minimum?.households ?? 0) > 0) {
    faults.push({
      path: ['minimum', 'households'],
      says: 'is something rejected messages do not have; take it out, requests counts messages',
    })
  }
  return faults
}

function conditionFaults({ measure, window, condition, minimum }: Partial<RuleForm>): FieldMistake[] {
  const faults: FieldMistake[] = []
  if (minimum?.households === 0 && measure !== undefined && measure !== 'rejected_ratio') {
    faults.push({
      path: ['minimum', 'households'],
      says: `is 0; write ${MIN_HOUSEHOLDS} or more: of fewer households nothing is told`,
    })
  }
  if (condition === undefined) {
    return faults
  }
  const named = changes.filter((name) => condition[name] !== undefined)
  if (named.length !== 1) {
    faults.push({
      path: ['condition'],
      says:
        named.length === 0
          ? `asks for nothing; write one of ${changes.join(', ')}`
          : `asks for ${named.join(' and ')}; write one, and another rule for the other`,
    })
  }
  for (const name of ['k', 'h'] as const) {
    if (condition[name] !== undefined && condition.drifts === undefined) {
      faults.push({ path: ['condition', name], says: 'is only for drifts; take it out' })
    }
  }
  if (condition.drifts !== undefined && window !== undefined && window !== 'day') {
    faults.push({
      path: ['condition', 'drifts'],
      says: `needs windows of a day, and window is ${window}; take window: day`,
    })
  }
  for (const name of ['drops', 'rises', 'changes', 'below', 'above'] as const) {
    const says = amountFault(name, condition[name], measure)
    if (says !== null) {
      faults.push({ path: ['condition', name], says })
    }
  }
  return faults
}

function amountFault(
  name: (typeof changes)[number],
  given: string | number | undefined,
  measure: Measure | undefined,
): string | null {
  if (given === undefined) {
    return null
  }
  const threshold = name === 'below' || name === 'above'
  const value = numberOfShare(given)
  if (value === 0) {
    return threshold
      ? `is ${given}, which no ratio passes surely; write more`
      : `is ${given}; write the least change that matters, e.g. 10%: without one, every large cohort pages for nothing`
  }
  if (measure === undefined) {
    return null
  }
  const relative = typeof given === 'string'
  if (threshold && relative && !isRatio(measure)) {
    return `is ${given}, but ${measure} is no share; write a number, e.g. 7.5`
  }
  if (threshold && value >= 1 && isRatio(measure)) {
    return `is ${given}, and ${measure} is at most 1; write 5% or 0.05`
  }
  if (!threshold && !relative && value >= 1 && isRatio(measure)) {
    return `is ${given}, a change in units of ${measure}, which is at most 1; write 10% for a tenth of the baseline, or 0.01`
  }
  return name === 'drops' && relative && value >= 1
    ? `is ${given}, and nothing falls by all it is; write less than 100%`
    : null
}

function confidenceFaults({ confidence, hysteresis }: Partial<RuleForm>): FieldMistake[] {
  const faults: FieldMistake[] = []
  if (confidence !== undefined && !(numberOfShare(confidence) > 0.5 && numberOfShare(confidence) < 1)) {
    faults.push({
      path: ['confidence'],
      says: `is ${confidence}; write a share above 50 % and below 100 %: 99% or 0.99`,
    })
  }
  if (hysteresis !== undefined && numberOfShare(hysteresis) > 1) {
    faults.push({ path: ['hysteresis'], says: `is ${hysteresis}; write 0 to 100 %: 20% or 0.2` })
  }
  return faults
}

function everyFaults({ measure, window, every, condition }: Partial<RuleForm>): FieldMistake[] {
  if (every === undefined) {
    return []
  }
  const faults: FieldMistake[] = []
  const says = (text: string) => faults.push({ path: ['every'], says: text })
  if (window !== undefined && windowMs[every] >= windowMs[window]) {
    says(`is ${every}, and window is ${window}; take a longer window, or leave every out`)
  }
  if (measure === 'requests_per_household' || measure === 'rejected_ratio') {
    says(`is only for shares and unclassified_ratio; leave it out, and take window: ${every}`)
  }
  if (condition?.drifts !== undefined) {
    says('is not for drifts, whose chart looks at whole days; leave it out')
  }
  return faults
}

function durationFaults(rule: Partial<RuleForm>): FieldMistake[] {
  return (['for', 'keepFiringFor'] as const).flatMap((name) => {
    const given = rule[name]
    if (given === undefined) {
      return []
    }
    const lengthMs = durationMs(given)
    if (lengthMs > durationMaxMs) {
      return [{ path: [name], says: `is ${given}; write at most 52w` }]
    }
    const step = rule.every ?? rule.window
    return step !== undefined && lengthMs % windowMs[step] !== 0
      ? [{ path: [name], says: `is ${given}, no whole number of windows; write a multiple of 1 ${step}, or 0` }]
      : []
  })
}

function textFaults({ by, labels, annotations }: Partial<RuleForm>): FieldMistake[] {
  const faults: FieldMistake[] = []
  for (const [name, text] of Object.entries(labels ?? {})) {
    if (name === 'alertname' || name === 'severity' || by?.some((dimension) => dimension === name)) {
      faults.push({
        path: ['labels', name],
        says: 'is a label that the alert sets itself; take another name',
      })
    }
    if (text.includes('{{')) {
      faults.push({
        path: ['labels', name],
        says: 'has {{...}}: a label with a number would be another alert each time; put it into annotations',
      })
    }
  }
  for (const [name, text] of Object.entries(annotations ?? {})) {
    const known: readonly string[] = [...new Set([...annotationValues, ...(by ?? [])])]
    const unknown = [...text.matchAll(placeholder)].map((found) => found[1]!).filter((value) => !known.includes(value))
    // Without `by` it is not known which dimensions there are.
    if (by !== undefined && unknown.length > 0) {
      faults.push({
        path: ['annotations', name],
        says: `uses ${[...new Set(unknown)].map((value) => `{{${value}}}`).join(', ')}; take ${known.join(', ')}`,
      })
    }
    if (/\{\{|\}\}/.test(text.replaceAll(placeholder, ''))) {
      faults.push({ path: ['annotations', name], says: 'has {{ or }} without the other; write {{value}}' })
    }
  }
  return faults
}

export const placeholder = /\{\{\s*([^{}]*?)\s*\}\}/g
