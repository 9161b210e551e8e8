import { z } from 'zod'

import { MIN_HOUSEHOLDS } from '../shared/domain/suppression.ts'
import { percent, wholeField } from '../shared/io/form-kinds.ts'
import { measures, ruleDimensions, severities, windowLengths } from './rule.ts'

/**
 * The one description of a rules file: what is checked, what editors offer (`alertRulesJsonSchema`), what is taken for
 * what is left out. Every message is the second half of a sentence, what to write; `rules-file.ts` puts file, line, rule
 * and field in front of it. What two fields say against each other stands in `rule-contradictions.ts`.
 */
export const rulesMax = 5_000
export const fileDimensions = ['product', 'cohort_month', 'country', 'plans'] as const
export const changes = ['drops', 'rises', 'changes', 'below', 'above', 'drifts'] as const

const oneOf = (names: readonly string[]) => `take ${names.join(', ')}`
const part = (advice: string) => z.union([percent(advice), z.number(advice).min(0, advice).max(1, advice)], advice)
const amount = (advice: string) => z.union([percent(advice), z.number(advice).gt(0, advice)], advice)
const duration = (advice: string) =>
  z.union([z.string(advice).regex(/^(0|[1-9]\d{0,4})[mhdw]$|^0$/, advice), z.literal(0, advice)], advice)
const text = (max: number, advice: string) => z.string(advice).min(1, advice).max(max, advice)

const valueAdvice = 'write one value as text, in quotes if it looks like a number; leave it out for all'
const monthAdvice = 'write a month as 2026-03'
const plansAdvice = 'write the plans held, as [music, prime] or "music,prime"'
const plan = z.string(plansAdvice).regex(/^[^,\s]{1,64}$/, plansAdvice)

const filter = z
  .strictObject(
    {
      product: text(64, valueAdvice).optional().describe('Only this product, e.g. echo.'),
      cohort_month: z
        .string(monthAdvice)
        .regex(/^\d{4}-(0[1-9]|1[0-2])$/, monthAdvice)
        .optional()
        .describe('Only devices activated in this month, e.g. 2026-03.'),
      country: text(64, valueAdvice).optional().describe('Only this country, e.g. DE.'),
      plans: z
        .union(
          [
            z.string(plansAdvice).regex(/^[^,\s]{1,64}(, ?[^,\s]{1,64}){0,15}$/, plansAdvice),
            z.array(plan, plansAdvice).min(1, plansAdvice).max(16, plansAdvice),
          ],
          plansAdvice,
        )
        .optional()
        .describe('Only households with exactly these plans, in any order: [music, prime].'),
    },
    `write fields: ${fileDimensions.join(', ')}`,
  )
  .describe('The part of all requests that the rule looks at; left out: all of them.')

const changeAdvice = 'write the least change, above 0: 10% of the baseline, or 0.01 in units of the measure'
const thresholdAdvice = 'write a number above 0, or for a share per cent: 5% or 0.05'
const driftDirections = ['drops', 'rises', 'either'] as const
const standardErrors = (low: number, high: number) => {
  const advice = `write standard errors from ${low} to ${high}`
  return z.number(advice).min(low, advice).max(high, advice)
}

const condition = z
  .strictObject(
    {
      drops: amount(changeAdvice).optional().describe('Fell against the baseline by at least this: 10% or 0.01.'),
      rises: amount(changeAdvice).optional().describe('Rose against the baseline by at least this: 10% or 0.01.'),
      changes: amount(changeAdvice).optional().describe('Fell or rose against the baseline by at least this.'),
      below: amount(thresholdAdvice).optional().describe('Is surely below this value: 5% or 0.05.'),
      above: amount(thresholdAdvice).optional().describe('Is surely above this value: 5% or 0.05.'),
      drifts: z
        .enum(driftDirections, oneOf(driftDirections))
        .optional()
        .describe('Drifts slowly, too little on any one day: a CUSUM chart of the days. Windows of a day only.'),
      k: standardErrors(0.1, 2)
        .optional()
        .describe('With drifts: what a day may be off and is forgiven, in standard errors; 0.5 when left out.'),
      h: standardErrors(1, 50)
        .optional()
        .describe('With drifts: where the sum of what was not forgiven alarms, in standard errors; 8 when left out.'),
    },
    `write one of ${changes.join(', ')}, e.g. { drops: 10% }`,
  )
  .meta({
    description: 'What must be so: one of drops, rises, changes, below, above, drifts.',
    oneOf: changes.map((name) => ({ required: [name] })),
    dependentRequired: { k: ['drifts'], h: ['drifts'] },
  })

const centres = ['mean', 'median'] as const
const baseline = z
  .strictObject(
    {
      weeks: wholeField(2, 26)
        .default(6)
        .describe('The same weekday (and hour) of the last so many weeks; 2 at least, to know how days differ.'),
      centre: z
        .enum(centres, oneOf(centres))
        .default('mean')
        .describe('median forgives one odd week and loses some power.'),
    },
    'write fields: weeks, centre',
  )
  .describe('What drops, rises and changes compare with. drifts has its own: the last 4 same weekdays.')

const householdsAdvice = `write a whole number of ${MIN_HOUSEHOLDS} or more: of fewer households nothing is told`
const minimum = z
  .strictObject(
    {
      households: z
        .union(
          [
            z.literal(0, householdsAdvice),
            z.int(householdsAdvice).min(MIN_HOUSEHOLDS, householdsAdvice).max(1_000_000_000, householdsAdvice),
          ],
          householdsAdvice,
        )
        .optional()
        .describe('Households in the window; 100 when left out. rejected_ratio knows none.'),
      requests: wholeField(0, 1_000_000_000)
        .default(1_000)
        .describe('Requests (rejected_ratio: messages) in the window.'),
    },
    'write fields: households, requests',
  )
  .describe('With fewer the alert is insufficient_data: neither firing nor well.')

const steps = ['hour', 'day'] as const
const nameAdvice = 'write lower case letters, digits and _, a letter first, at most 64'
const durationAdvice = 'write a whole number with m, h, d or w: 2d; or 0'
const confidenceAdvice = 'write a share above 50 % and below 100 %: 99% or 0.99'
const hysteresisAdvice = 'write 0 to 100 %: 20% or 0.2'
const labelAdvice = 'write a name of letters, digits and _, no digit first, no __ first'
const labelName = z.string(labelAdvice).regex(/^(?!__)[A-Za-z_][A-Za-z0-9_]{0,63}$/, labelAdvice)
const labelText = z.string('write text, in quotes if it looks like a number').max(256, 'write at most 256 characters')
const annotationText = z.string('write text, in quotes').max(4_096, 'write at most 4096 characters')
const mixes = ['none', ...fileDimensions] as const
const byAdvice = `write a list of ${ruleDimensions.join(', ')}: [country]`

export const ruleForm = z.strictObject(
  {
    name: z
      .string(nameAdvice)
      .regex(/^[a-z][a-z0-9_]{0,63}$/, nameAdvice)
      .describe('Label alertname. A new name is a new alert: what fired under the old one is left alone.'),
    measure: z
      .enum(measures, oneOf(measures))
      .describe('The ratio. Shares are of requests; rejected_ratio is of messages, by the time of the Kafka record.'),
    filter: filter.prefault({}),
    by: z
      .array(z.enum(ruleDimensions, oneOf(ruleDimensions)), byAdvice)
      .default([])
      .describe('One alert for each combination of values; left out: one over all. partition is for rejected_ratio.'),
    window: z
      .enum(windowLengths, oneOf(windowLengths))
      .default('day')
      .describe('What is judged at once: a whole hour, day or week, UTC.'),
    every: z
      .enum(steps, oneOf(steps))
      .optional()
      .describe(
        'Judge what has passed of the window after every hour or day, by intervals that allow for the many looks.',
      ),
    condition,
    baseline: baseline.prefault({}),
    mix: z
      .enum(mixes, oneOf(mixes))
      .optional()
      .describe(
        'Dimension whose shift alone must not page. Left out: product for strict_share and broad_share, unless it is in by or filter; else none.',
      ),
    minimum: minimum.prefault({}),
    confidence: part(confidenceAdvice).default('99%').describe('Two-sided: 99% or 0.99.'),
    for: duration(durationAdvice)
      .default('0d')
      .describe('How long the condition must hold on after the first window; 0: it fires at once. Whole windows.'),
    keepFiringFor: duration(durationAdvice)
      .default('0d')
      .describe('How long it fires on after the condition held for the last time. Whole windows.'),
    hysteresis: part(hysteresisAdvice)
      .default('20%')
      .describe('Part of the threshold, or of the least change, that a firing alert must come back by.'),
    severity: z.enum(severities, oneOf(severities)).default('warning').describe('Label severity.'),
    labels: z
      .record(labelName, labelText, 'write names and texts: { team: assistant }')
      .default({})
      .describe('More labels, for routes. They are part of which alert it is: no numbers that change.'),
    annotations: z
      .record(labelName, annotationText, 'write names and texts: { summary: "..." }')
      .default({})
      .describe('Texts for people, with {{value}}, {{baseline}}, ... and the dimensions of by.'),
  },
  'write the fields of a rule, name: and measure: first',
)

export const rulesFileForm = z
  .strictObject(
    {
      version: z.literal(1, 'write 1').describe('Of this form.'),
      rules: z
        .array(ruleForm, 'write a list of rules, each beginning with "- name:"')
        .min(1, 'write at least one rule')
        .max(rulesMax, `write at most ${rulesMax} rules`)
        .describe('Each is judged by itself.'),
    },
    'write version: 1 and rules:',
  )
  .meta({ title: 'Alert rules of Intent Ledger', description: 'infra/alerts/README.md says what each field means.' })

export type RuleForm = z.output<typeof ruleForm>

/** `schemas/alert-rules.schema.json`, for editors; a test says when that file is old. */
export function alertRulesJsonSchema(): object {
  return z.toJSONSchema(rulesFileForm, { io: 'input' })
}
