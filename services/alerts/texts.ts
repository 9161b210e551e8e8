import { createHash } from 'node:crypto'

import type { Corrected } from './corrected.ts'
import type { Rule } from './rule.ts'
import type { Transition } from './tick.ts'
import { judgedName } from './windows.ts'

/** Names an alert for as long as its rule and cohort have their names. */
export function fingerprintOf(rule: string, cohort: readonly string[] | null): string {
  return createHash('sha256')
    .update(JSON.stringify([rule, cohort]))
    .digest('hex')
    .slice(0, 16)
}

/** Who is meant, never how much: a number in a label would make it another alert each time. */
export function labelsOf(rule: Rule, cohort: readonly string[] | null): Record<string, string> {
  const dimensions = rule.by.map((dimension, index): [string, string] => [dimension, cohort?.[index] ?? ''])
  return { ...rule.labels, ...Object.fromEntries(dimensions), alertname: rule.name, severity: rule.severity }
}

/** The rule's annotations with their values put in, and the numbers themselves, so that no page is without them. */
export function annotationsOf(rule: Rule, transition: Transition, corrected: Corrected | null): Record<string, string> {
  const values = valuesOf(rule, transition, corrected)
  const written = Object.entries(rule.annotations).map(([name, text]): [string, string] => [
    name,
    text.replaceAll(/\{\{\s*(\w+)\s*\}\}/g, (_, value: string) => values[value] ?? 'unknown'),
  ])
  return { ...Object.fromEntries(written), numbers: numbersOf(rule, transition, corrected) }
}

/** One sentence of all that is known. */
export function numbersOf(rule: Rule, transition: Transition, corrected: Corrected | null): string {
  const { finding } = transition
  if (finding === null) {
    return transition.cohort === null
      ? 'nothing is known: the window is not complete'
      : 'the rule was edited and asks for something else now'
  }
  const values = valuesOf(rule, transition, corrected)
  if (finding.insufficient !== null) {
    return `${values['window']}: ${finding.insufficient}`
  }
  const parts = [`${rule.measure} ${values['value']}`]
  if (corrected !== null) {
    const { corrected: estimate, corrected_low: low, corrected_high: high } = values
    parts.push(`corrected by audit ${corrected.audit} ${estimate} (${low} to ${high})`)
  }
  if (finding.baseline !== null) {
    parts.push(`baseline ${values['baseline']}`)
  }
  if (finding.relativeChange !== null) {
    parts.push(`change ${values['relative_change']} (difference ${values['low']} to ${values['high']})`)
  } else if (finding.low !== null) {
    parts.push(`interval ${values['low']} to ${values['high']}`)
  }
  if (finding.ratePart !== null) {
    parts.push(`of it rate ${values['rate_part']} and mix ${values['mix_part']}`)
  }
  if (finding.pValue !== null) {
    parts.push(`p ${values['p_value']}, adjusted ${values['adjusted_p']}`)
  }
  if (finding.drift !== null) {
    parts.push(`drift up ${finding.drift.high.toFixed(1)}, down ${finding.drift.low.toFixed(1)}`)
  }
  return `${values['window']}: ${parts.join(', ')}; ${values['households']} households, ${values['requests']} requests`
}

function valuesOf(
  rule: Rule,
  { cohort, finding, adjustedP, windowStartMs }: Transition,
  corrected: Corrected | null,
): Record<string, string> {
  const isRatio = rule.measure !== 'requests_per_household'
  const amount = (value: number | null | undefined) =>
    value === null || value === undefined ? 'unknown' : isRatio ? percent(value) : value.toFixed(2)
  // A difference of two shares is in points: 22 % against 30 % are -8 points and -27 %.
  const points = (value: number | null | undefined) =>
    value === null || value === undefined || !isRatio ? amount(value) : `${(value * 100).toFixed(2)} points`
  const bound = rule.condition.kind === 'change' ? points : amount
  const p = (value: number | null | undefined) =>
    value === null || value === undefined ? 'unknown' : value < 0.0001 ? 'below 0.0001' : value.toFixed(4)
  return {
    ...Object.fromEntries(rule.by.map((dimension, index) => [dimension, cohort?.[index] ?? ''])),
    ...{ value: amount(finding?.value), low: bound(finding?.low), high: bound(finding?.high) },
    ...{ corrected: amount(corrected?.estimate), corrected_low: amount(corrected?.low) },
    corrected_high: amount(corrected?.high),
    ...{ baseline: amount(finding?.baseline), difference: points(finding?.difference) },
    relative_change: finding?.relativeChange == null ? 'unknown' : signed(finding.relativeChange),
    ...{ p_value: p(finding?.pValue), adjusted_p: p(adjustedP) },
    ...{ mix_part: points(finding?.mixPart), rate_part: points(finding?.ratePart) },
    ...{ households: count(finding?.households), requests: count(finding?.requests) },
    window: judgedName(rule, windowStartMs),
  }
}

const percent = (value: number) => `${(value * 100).toFixed(2)} %`
const signed = (value: number) => `${value > 0 ? '+' : ''}${(value * 100).toFixed(1)} %`
const whole = new Intl.NumberFormat('en')
const count = (value: number | undefined) => whole.format(value ?? 0)
