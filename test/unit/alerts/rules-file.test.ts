import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'

import fc from 'fast-check'
import { stringify } from 'yaml'

import { defaultRulesFile } from '../../../services/alerts/commands.ts'
import { annotationValues, measures, windowLengths, type Rule } from '../../../services/alerts/rule.ts'
import { loadRules, parseRules } from '../../../services/alerts/rules-file.ts'
import { alertRulesJsonSchema } from '../../../services/alerts/rules-schema.ts'
import { complaintOf } from '../../support/fault-of.ts'

type Fields = Record<string, unknown>
const least = { name: 'a', measure: 'broad_share', condition: { drops: '10%' } }
const file = (...rules: unknown[]) => stringify({ version: 1, rules }, { aliasDuplicateObjects: false })
const ruleOf = (fields: Fields): Rule => parseRules(file({ ...least, ...fields }), 'rules.yaml').rules[0]!

const complaint = (work: () => unknown) => complaintOf('config_invalid', work)

test('name, measure and condition are enough: all else has a default', () => {
  assert.deepEqual(ruleOf({}), {
    name: 'a',
    measure: 'broad_share',
    filter: {},
    by: [],
    window: 'day',
    soFar: null,
    condition: { kind: 'change', direction: 'drop', least: 0.1, unit: 'relative' },
    baseline: { weeks: 6, centre: 'mean' },
    mix: 'product',
    minimumHouseholds: 100,
    minimumRequests: 1_000,
    confidence: 0.99,
    forWindows: 1,
    keepFiringForWindows: 0,
    hysteresis: 0.2,
    severity: 'warning',
    labels: {},
    annotations: {},
  })
})

const rejected = { measure: 'rejected_ratio', condition: { above: '1%' } }
for (const [name, given, expected] of [
  ['a rise in units of the measure', { condition: { rises: 0.01 } }, { condition: change('rise', 0.01, 'absolute') }],
  ['a change either way', { condition: { changes: '300%' } }, { condition: change('either', 3, 'relative') }],
  ['per cent exactly, also with a blank', { condition: { drops: '0.1 %' } }, { condition: change('drop', 0.001) }],
  [
    'a week judged after each day',
    { window: 'week', every: 'day', for: '1d' },
    { window: 'day', soFar: 'week', forWindows: 2 },
  ],
  ['a day judged after each hour', { every: 'hour' }, { window: 'hour', soFar: 'day' }],
  ['a threshold in per cent', { condition: { above: '20%' } }, { condition: threshold('above', 0.2) }],
  ['a threshold as a number', { condition: { below: 0.05 } }, { condition: threshold('below', 0.05) }],
  [
    'a threshold above 1 of what is no share',
    { measure: 'requests_per_household', condition: { below: 7.5 } },
    { condition: threshold('below', 7.5), mix: null },
  ],
  [
    'a drift with the defaults of its chart',
    { condition: { drifts: 'drops' } },
    { condition: { kind: 'drift', direction: 'drop', k: 0.5, h: 8 } },
  ],
  [
    'a drift with a chart of its own',
    { condition: { drifts: 'either', k: 1, h: 5 } },
    { condition: { kind: 'drift', direction: 'either', k: 1, h: 5 } },
  ],
  ['for 0: fires at once', { for: 0 }, { forWindows: 1 }],
  ['for two days: the third window in a row', { for: '2d' }, { forWindows: 3 }],
  ['hours of a day', { for: '48h', keepFiringFor: '24h' }, { forWindows: 3, keepFiringForWindows: 1 }],
  [
    'minutes and days of hours',
    { window: 'hour', for: '120m', keepFiringFor: '1d' },
    { forWindows: 3, keepFiringForWindows: 24 },
  ],
  ['weeks', { window: 'week', for: '1w', keepFiringFor: '14d' }, { forWindows: 2, keepFiringForWindows: 2 }],
  ['numbers instead of per cent', { confidence: 0.995, hysteresis: 0 }, { confidence: 0.995, hysteresis: 0 }],
  [
    'a median of fewer weeks',
    { baseline: { weeks: 4, centre: 'median' } },
    { baseline: { weeks: 4, centre: 'median' } },
  ],
  ['no mix when product is filtered', { filter: { product: 'echo' } }, { filter: { product: 'echo' }, mix: null }],
  ['no mix when product is in by', { by: ['country', 'product'] }, { by: ['country', 'product'], mix: null }],
  ['no mix of what is no share', { measure: 'unclassified_ratio' }, { mix: null }],
  ['a mix of what is no share, asked for', { measure: 'unclassified_ratio', mix: 'country' }, { mix: 'country' }],
  ['no mix, asked for', { mix: 'none' }, { mix: null }],
  ['plans as a list, in any order', { filter: { plans: ['prime', 'music'] } }, { filter: { plans: 'music,prime' } }],
  ['plans as text', { filter: { plans: 'prime, music,prime' } }, { filter: { plans: 'music,prime' } }],
  ['an hour window of cohorts by plans', { window: 'hour', by: ['plans'] }, { window: 'hour', by: ['plans'] }],
  ['rejected messages, with no households', rejected, { minimumHouseholds: 0, mix: null, by: [] }],
  ['rejected messages by partition', { ...rejected, by: ['partition'] }, { by: ['partition'] }],
  [
    'placeholders with blanks, as the engine fills them',
    { by: ['country'], annotations: { summary: '{{ country }}: {{value}}' } },
    { annotations: { summary: '{{country}}: {{value}}' } },
  ],
] as const satisfies readonly (readonly [string, Fields, Partial<Rule>])[]) {
  test(`takes ${name}`, () => {
    const rule = ruleOf(given)
    for (const [field, value] of Object.entries(expected)) {
      assert.deepEqual(rule[field as keyof Rule], value, field)
    }
  })
}

const names = 'take product, cohort_month, country, plans'
for (const [name, given, says] of [
  ['a name with a blank', { name: 'a b' }, 'name is "a b"; write lower case letters, digits and _, a letter first'],
  ['an unknown measure', { measure: 'brod_share' }, 'measure is "brod_share"; take strict_share, broad_share, '],
  ['an unknown field', { windw: 'day' }, 'windw is no field; take name, measure, filter, by, window, '],
  ['an unknown field of a part', { minimum: { devices: 1 } }, 'minimum.devices is no field; take households, requests'],
  ['an unknown dimension of the filter', { filter: { model: 'x' } }, `filter.model is no field; ${names}`],
  ['a filter that is a number', { filter: { country: 49 } }, 'filter.country is 49; write one value as text'],
  ['a filter by nothing', { filter: { country: '' } }, 'filter.country is ""; write one value as text'],
  ['a month that is none', { filter: { cohort_month: '2026-13' } }, 'filter.cohort_month is "2026-13"; write a month'],
  ['plans with an empty one', { filter: { plans: 'a,,b' } }, 'filter.plans is "a,,b"; write the plans held, as [mu'],
  ['by as text', { by: 'country' }, 'by is "country"; write a list of product, '],
  ['an unknown dimension', { by: ['state'] }, 'by item 1 is "state"; take product, cohort_month, country, plans, part'],
  ['a dimension twice', { by: ['plans', 'plans'] }, 'by item 2 names plans a second time; take it out'],
  ['a window of two days', { window: '2d' }, 'window is "2d"; take hour, day, week'],
  ['a field left empty', { baseline: null }, 'baseline is empty; write fields: weeks, centre'],
  ['a baseline of one week', { baseline: { weeks: 1 } }, 'baseline.weeks is 1; write a whole number of 2 to 26'],
  ['an unknown centre', { baseline: { centre: 'mode' } }, 'baseline.centre is "mode"; take mean, median'],
  ['no condition', { condition: undefined }, 'condition is missing; write one of drops, rises, changes, below, above'],
  ['an empty condition', { condition: {} }, 'condition asks for nothing; write one of drops, rises, changes, below'],
  [
    'two conditions',
    { condition: { drops: '10%', below: '5%' } },
    'condition asks for drops and below; write one, and another rule for the other',
  ],
  ['a change that is no number', { condition: { drops: 'much' } }, 'condition.drops is "much"; write the least change'],
  ['a negative change', { condition: { drops: -0.1 } }, 'condition.drops is -0.1; write the least change, above 0: '],
  [
    'a change of any size',
    { condition: { rises: '0%' } },
    'condition.rises is 0%; write the least change that matters',
  ],
  [
    'a fall by everything',
    { condition: { drops: '100%' } },
    'condition.drops is 100%, and nothing falls by all it is;',
  ],
  [
    'per cent without the sign',
    { condition: { drops: 10 } },
    'condition.drops is 10, a change in units of broad_share',
  ],
  [
    'a threshold no share has',
    { condition: { above: 5 } },
    'condition.above is 5, and broad_share is at most 1; write',
  ],
  ['a threshold of nothing', { condition: { below: '0%' } }, 'condition.below is 0%, which no ratio passes surely'],
  [
    'per cent of what is no share',
    { measure: 'requests_per_household', condition: { below: '5%' } },
    'condition.below is 5%, but requests_per_household is no share; write a number',
  ],
  ['an unknown drift', { condition: { drifts: 'up' } }, 'condition.drifts is "up"; take drops, rises, either'],
  ['a chart without a drift', { condition: { drops: '10%', k: 1 } }, 'condition.k is only for drifts; take it out'],
  [
    'a chart that is too wide',
    { condition: { drifts: 'drops', h: 99 } },
    'condition.h is 99; write standard errors fr',
  ],
  [
    'a drift of hours',
    { window: 'hour', condition: { drifts: 'drops' } },
    'condition.drifts needs windows of a day, and window is hour; take window: day',
  ],
  ['an unknown mix', { mix: 'partition' }, 'mix is "partition"; take none, product, cohort_month, country, plans'],
  [
    'a mix of requests per household',
    { measure: 'requests_per_household', mix: 'country' },
    'mix is country, but a household may stand in two of them',
  ],
  ['a mix that the filter fixes', { mix: 'country', filter: { country: 'DE' } }, 'mix is country, which filter fixes'],
  ['a mix that by tells apart', { mix: 'plans', by: ['plans'] }, 'mix is plans, which by tells apart already'],
  [
    'too few households',
    { minimum: { households: 10 } },
    'minimum.households is 10; write a whole number of 11 or more',
  ],
  ['no households', { minimum: { households: 0 } }, 'minimum.households is 0; write 11 or more: of fewer'],
  [
    'half a request',
    { minimum: { requests: 0.5 } },
    'minimum.requests is 0.5; write a whole number of 0 to 1000000000',
  ],
  ['a confidence as a bare number', { confidence: 99 }, 'confidence is 99; write a share above 50 % and below 100 %'],
  ['a confidence of a coin', { confidence: '50%' }, 'confidence is 50%; write a share above 50 % and below 100 %'],
  ['a hysteresis of more than all', { hysteresis: '120%' }, 'hysteresis is 120%; write 0 to 100 %: 20% or 0.2'],
  ['a duration without a unit', { for: 2 }, 'for is 2; write a whole number with m, h, d or w: 2d; or 0'],
  ['a duration in seconds', { keepFiringFor: '90s' }, 'keepFiringFor is "90s"; write a whole number with m, h, d or w'],
  [
    'a part of a look',
    { window: 'week', every: 'day', for: '36h' },
    'for is 36h, no whole number of windows; write a multiple of 1 day',
  ],
  ['looks as long as the window', { every: 'day' }, 'every is day, and window is day; take a longer window'],
  ['looks at what has none', { ...rejected, window: 'day', every: 'hour' }, 'every is only for shares'],
  ['looks at a drift', { condition: { drifts: 'drops' }, every: 'hour' }, 'every is not for drifts'],
  ['part of a window', { for: '36h' }, 'for is 36h, no whole number of windows; write a multiple of 1 day, or 0'],
  ['days of weeks', { window: 'week', for: '2d' }, 'for is 2d, no whole number of windows; write a multiple of 1 week'],
  ['more than a year', { keepFiringFor: '400d' }, 'keepFiringFor is 400d; write at most 52w'],
  ['an unknown severity', { severity: 'page' }, 'severity is "page"; take info, warning, critical'],
  ['a label with a dash', { labels: { 'a-b': 'x' } }, 'labels.a-b is no good name; write a name of letters, digits'],
  ['a label for Alertmanager', { labels: { __x: 'x' } }, 'labels.__x is no good name; write a name of letters, digit'],
  ['a number as a label', { labels: { tier: 1 } }, 'labels.tier is 1; write text, in quotes if it looks like a nu'],
  ['a label of its own', { labels: { severity: 'x' } }, 'labels.severity is a label that the alert sets itself; tak'],
  ['a label of by', { by: ['country'], labels: { country: 'x' } }, 'labels.country is a label that the alert sets its'],
  ['a label with a number', { labels: { now: '{{value}}' } }, 'labels.now has {{...}}: a label with a number would be'],
  [
    'an unknown value',
    { annotations: { s: '{{x}} {{ y }}' } },
    'annotations.s uses {{x}}, {{y}}; take value, low, hig',
  ],
  [
    'a dimension not in by',
    { annotations: { s: '{{country}}' } },
    'annotations.s uses {{country}}; take value, low, hi',
  ],
  ['a half placeholder', { annotations: { s: '{{value' } }, 'annotations.s has {{ or }} without the other; write {{va'],
  [
    'a partition of requests',
    { by: ['partition'] },
    `by item 1 is partition, which only rejected_ratio knows; ${names}`,
  ],
  [
    'rejected messages by country',
    { ...rejected, by: ['country'] },
    'by item 1 is country, which a rejected message does not have; rejected_ratio takes [partition] or []',
  ],
  [
    'rejected messages of a product',
    { ...rejected, filter: { product: 'echo' } },
    'filter.product is something a rejected message does not have; rejected_ratio takes no filter',
  ],
  [
    'a mix of rejected messages',
    { ...rejected, mix: 'product' },
    'mix is product, which a rejected message does not h',
  ],
  [
    'households of rejected messages',
    { ...rejected, minimum: { households: 50 } },
    'minimum.households is something rejected messages do not have; take it out',
  ],
] as const) {
  test(`refuses ${name}, with file, line, rule, field and what to do`, () => {
    const content = file({ ...least, ...given })
    const message = complaint(() => parseRules(content, 'rules.yaml'))
    const rule = 'name' in given ? given.name : 'a'
    assert.equal(message.split('\n').length, 1, message)
    const sentence = message.replace(/^rules\.yaml:\d+: /, '')
    assert.equal(sentence.slice(0, `rule 1 "${rule}": ${says}`.length), `rule 1 "${rule}": ${says}`)
  })
}

for (const [name, content, says] of [
  ['an empty file', '', 'rules.yaml:1: the file is empty; write version: 1 and rules:'],
  [
    'another version',
    'version: 2\nrules:\n  - {name: a, measure: broad_share, condition: {drops: 1%}}',
    'rules.yaml:1: version is 2; write 1',
  ],
  ['no rules', 'version: 1', 'rules.yaml:1: rules is missing; write a list of rules, each beginning with "- name:"'],
  ['an empty list of rules', 'version: 1\nrules: []', 'rules.yaml:2: rules is a list of 0; write at least one rule'],
  [
    'a rule that is none',
    'version: 1\nrules:\n  - 7',
    'rules.yaml:3: rule 1 is 7; write the fields of a rule, name: and measure: first',
  ],
  ['a field of the file', `${file(least)}team: x\n`, 'rules.yaml:7: team is no field; take version, rules'],
  [
    'a rule without a name',
    file({ ...least, name: undefined }),
    'rules.yaml:3: rule 1: name is missing; write lower case letters, digits and _, a letter first, at most 64',
  ],
  [
    'a name used twice',
    file(least, least),
    'rules.yaml:7: rule 2 "a": name is the name of rule 1, too; give each rule a name of its own',
  ],
  [
    'a key twice',
    'version: 1\nversion: 1',
    'rules.yaml:2: column 1 is no good YAML: Map keys must be unique; mend it, then the rest is checked',
  ],
  [
    'a tab',
    'version: 1\nrules:\n\t- name: a',
    /^rules\.yaml:3: column 1 is no good YAML: Tabs are not allowed as indentation; mend it/,
  ],
  [
    'a second document',
    `${file(least)}---\nx: 1`,
    'rules.yaml:7: column 1 is no good YAML: Source contains multiple documents; mend it, then the rest is checked',
  ],
  [
    'a tag',
    'version: 1\nrules: !shell rm',
    'rules.yaml:2: column 8 is no good YAML: Unresolved tag: !shell; mend it, then the rest is checked',
  ],
  [
    'an alias of nothing',
    'version: 1\nrules: *all',
    /^rules\.yaml:1: its aliases can't be resolved: .*; write out what they stand for$/,
  ],
] as const) {
  test(`refuses ${name}, with its line`, () => {
    const message = complaint(() => parseRules(content, 'rules.yaml'))
    if (typeof says === 'string') {
      assert.equal(message, says)
    } else {
      assert.match(message, says)
    }
  })
}

test('refuses aliases that grow without end', () => {
  const bomb = [
    'a: &l0 [x, x]',
    ...Array.from({ length: 12 }, (_, at) => `b${at}: &l${at + 1} [*l${at}, *l${at}, *l${at}]`),
  ]
  assert.match(
    complaint(() => parseRules(bomb.join('\n'), 'rules.yaml')),
    /aliases can't be resolved/,
  )
})

test('tells all mistakes of a file together, by line, also what fields say against each other', () => {
  const content = [
    'version: 2',
    'rules:',
    '  - name: a',
    '    measure: broad_shares',
    '    condition: { drops: 0% }',
    '    by: [country]',
    '    mix: country',
    '    for: 5h',
    '  - name: a',
    '    measure: rejected_ratio',
    '    by: [partition]',
    '    filter: { product: echo }',
    '    condition: { drifts: up }',
  ].join('\n')
  const lines = complaint(() => parseRules(content, 'rules.yaml')).split('\n')
  assert.deepEqual(
    lines.map((line) => Number(/^rules\.yaml:(\d+): /.exec(line)![1])),
    [1, 4, 5, 7, 8, 9, 12, 13],
  )
})

test('names the content by its hash, not the way it is written', () => {
  const hashOf = (text: string) => parseRules(text, 'rules.yaml').hash
  const plain = hashOf(file(least))
  assert.match(plain, /^[0-9a-f]{16}$/)
  assert.equal(hashOf(file({ ...least, window: 'day', for: '0h' })), plain)
  assert.equal(hashOf(`# a comment\n${JSON.stringify({ rules: [least], version: 1 })}`), plain)
  assert.notEqual(hashOf(file({ ...least, for: '1d' })), plain)
})

test('a rule with its defaults written out is the same rule', () => {
  fc.assert(
    fc.property(fc.uniqueArray(someRule, { selector: ({ name }) => name, minLength: 1, maxLength: 4 }), (rules) => {
      const short = parseRules(file(...rules), 'rules.yaml')
      const full = parseRules(file(...short.rules.map(writtenOut)), 'rules.yaml')
      assert.deepEqual(full, short)
    }),
    { numRuns: 300 },
  )
})

test('a file is named in its mistakes without its folder, and one that is not there is told as it was given', (t) => {
  const path = write(t, file({ ...least, window: 'month' }))
  assert.match(
    complaint(() => loadRules(path)),
    /^mine\.yaml:\d+: rule 1 "a": window is "month"; /,
  )
  assert.match(
    complaint(() => loadRules(`${path}.old`)),
    /mine\.yaml\.old can't be read: ENOENT.*; name a file of rules$/,
  )
})

test('refuses a file that is too large to be one of rules', (t) => {
  const path = write(t, '#'.repeat(4 * 1_048_576 + 1))
  assert.match(
    complaint(() => loadRules(path)),
    /mine\.yaml has 4194305 bytes, and a file of rules at most 4194304; split it$/,
  )
})

test('the shipped rules are valid, one of each measure and kind of condition, and each tells what happened', () => {
  const { rules } = loadRules(defaultRulesFile)
  assert.deepEqual([...new Set(rules.map(({ measure }) => measure))].sort(), [...measures].sort())
  assert.deepEqual([...new Set(rules.map(({ condition }) => condition.kind))].sort(), ['change', 'drift', 'threshold'])
  for (const { name, annotations } of rules) {
    assert.match(annotations['summary'] ?? '', /\{\{value\}\}/, name)
  }
  assert.equal(
    readFileSync(defaultRulesFile, 'utf8').split('\n')[0],
    '# yaml-language-server: $schema=../../schemas/alert-rules.schema.json',
  )
})

test('infra/alerts/README.md names every field and every value that an annotation may use', () => {
  const text = readFileSync(join(defaultRulesFile, '../README.md'), 'utf8')
  const fields = Object.keys(propertiesOf(alertRulesJsonSchema()))
  assert.ok(fields.length > 12)
  assert.deepEqual(
    [...fields, ...annotationValues].filter((name) => !text.includes(`\`${name}\``)),
    [],
  )
})

test('schemas/alert-rules.schema.json is what the code emits', () => {
  const written = readFileSync(join(import.meta.dirname, '../../../schemas/alert-rules.schema.json'), 'utf8')
  assert.equal(
    written,
    `${JSON.stringify(alertRulesJsonSchema(), null, 2)}\n`,
    'write it anew: npx intent-ledger alerts schema > schemas/alert-rules.schema.json',
  )
})

test('every field of the JSON Schema says what it is', () => {
  const silent = Object.entries(propertiesOf(alertRulesJsonSchema())).flatMap(([name, field]) => [
    ...(field.description === undefined ? [name] : []),
    ...Object.entries(field.properties ?? {})
      .filter(([, inner]) => inner.description === undefined)
      .map(([inner]) => `${name}.${inner}`),
  ])
  assert.deepEqual(silent, [])
})

interface JsonSchema {
  readonly description?: string
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly items?: JsonSchema
}

const propertiesOf = (schema: JsonSchema) => schema.properties!['rules']!.items!.properties!

function change(direction: 'drop' | 'rise' | 'either', size: number, unit: 'relative' | 'absolute' = 'relative') {
  return { kind: 'change', direction, least: size, unit } as const
}

function threshold(side: 'below' | 'above', value: number) {
  return { kind: 'threshold', side, value } as const
}

const someDimensions = fc.subarray(['product', 'cohort_month', 'country', 'plans'])
const aPart = fc.integer({ min: 1, max: 999 }).map((tenths) => `${tenths / 10}%`)
const someCondition = fc.oneof(
  fc.record({ drops: aPart }),
  fc.record({ rises: fc.double({ min: 0.001, max: 0.999, noNaN: true }) }),
  fc.record({ changes: aPart }),
  fc.record({ above: fc.double({ min: 0.001, max: 0.999, noNaN: true }) }),
)
/** Whatever the fields, none says anything against another. */
const someRule = fc
  .record({
    name: fc.stringMatching(/^[a-z][a-z0-9_]{0,12}$/),
    measure: fc.constantFrom(...measures),
    window: fc.option(fc.constantFrom(...windowLengths), { nil: undefined }),
    condition: someCondition,
    dimensions: someDimensions,
    filtered: fc.boolean(),
    weeks: fc.option(fc.integer({ min: 2, max: 26 }), { nil: undefined }),
    holdWeeks: fc.option(fc.integer({ min: 0, max: 52 }), { nil: undefined }),
    confidence: fc.option(fc.integer({ min: 501, max: 999 }), { nil: undefined }),
  })
  .map(({ dimensions, filtered, weeks, holdWeeks, confidence, ...rule }) => ({
    ...rule,
    ...(rule.measure === 'rejected_ratio' ? { by: ['partition'] } : { by: dimensions }),
    ...(filtered && rule.measure !== 'rejected_ratio' ? { filter: { product: 'echo', plans: ['b', 'a'] } } : {}),
    ...(weeks === undefined ? {} : { baseline: { weeks } }),
    ...(holdWeeks === undefined ? {} : { for: `${holdWeeks}w` }),
    ...(confidence === undefined ? {} : { confidence: `${confidence / 10}%` }),
  }))

/** The form that says everything, defaults too. */
function writtenOut(rule: Rule): Fields {
  const { condition, window } = rule
  const unit = { hour: 'h', day: 'd', week: 'w' }[window]
  const names = { drop: 'drops', rise: 'rises', either: 'changes' } as const
  const asked =
    condition.kind === 'change'
      ? { [names[condition.direction]]: condition.unit === 'relative' ? percent(condition.least) : condition.least }
      : condition.kind === 'threshold'
        ? { [condition.side]: condition.value }
        : {}
  return {
    ...{ name: rule.name, measure: rule.measure, filter: rule.filter, by: rule.by, window, condition: asked },
    baseline: rule.baseline,
    mix: rule.mix ?? 'none',
    minimum: { households: rule.minimumHouseholds, requests: rule.minimumRequests },
    confidence: rule.confidence,
    for: `${rule.forWindows - 1}${unit}`,
    keepFiringFor: `${rule.keepFiringForWindows}${unit}`,
    hysteresis: rule.hysteresis,
    ...{ severity: rule.severity, labels: rule.labels, annotations: rule.annotations },
  }
}

const percent = (part: number) => `${Number((part * 100).toFixed(6))}%`

function write(t: TestContext, content: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'intent-ledger-alerts-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'mine.yaml')
  writeFileSync(path, content)
  return path
}
