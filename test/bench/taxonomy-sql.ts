/** The taxonomy and the bounds of an event as SQL, for contenders that class and check events inside ClickHouse. */
import { alphabetPatterns } from '../../services/shared/domain/alphabet.ts'
import { numberBounds, plansMax, textBounds } from '../../services/shared/domain/event.ts'
import { valueClasses, type Taxonomy, type TaxonomyRule } from '../../services/shared/domain/taxonomy.ts'

/**
 * Number of the rule that decides, from 1; 0 when none knows the intent. Its columns: `intent`, `outcome`, `plans` (joined by
 * commas) and `order_id` (empty without a purchase). Texts of low cardinality are compared once a block, not once a row.
 */
export function ruleNumberSql(taxonomy: Taxonomy): string {
  const branches = taxonomy.rules.map((rule, index) => `${conditionSql(rule)}, ${index + 1}`)
  return `multiIf(${branches.join(',\n      ')},\n      0)`
}

/** Class (as its number) and id of a rule by its number. */
export function verdictSql(taxonomy: Taxonomy, ruleNumber: string): { valueClass: string; ruleId: string } {
  const numbers = list(taxonomy.rules.map((_, index) => index + 1))
  const classes = list(taxonomy.rules.map((rule) => valueClasses[rule.valueClass]))
  const ids = list(taxonomy.rules.map((rule) => quote(rule.id)))
  return {
    valueClass: `transform(${ruleNumber}, ${numbers}, ${classes}, ${valueClasses.unclassified})`,
    ruleId: `transform(${ruleNumber}, ${numbers}, ${ids}, '')`,
  }
}

function conditionSql({ intents, outcomes, plans, purchase }: TaxonomyRule): string {
  const exact = intents.filter((pattern) => !pattern.endsWith('*'))
  const prefixes = intents.filter((pattern) => pattern.endsWith('*')).map((pattern) => pattern.slice(0, -1))
  const intent = [
    ...(exact.length === 0 ? [] : [`intent IN (${exact.map(quote).join(', ')})`]),
    ...prefixes.map((prefix) => (prefix === '' ? 'true' : `startsWith(intent, ${quote(prefix)})`)),
  ]
  const needs = [
    ...(prefixes.includes('') ? [] : [`(${intent.join(' OR ')})`]),
    ...(outcomes === undefined ? [] : [`outcome IN (${outcomes.map(quote).join(', ')})`]),
    ...(plans === undefined ? [] : [`match(plans, ${quote(`(^|,)(${plans.join('|')})(,|$)`)})`]),
    ...(purchase === undefined ? [] : [`order_id ${purchase ? '!=' : '='} ''`]),
  ]
  return needs.length === 0 ? 'true' : needs.join(' AND ')
}

/** True for an event within all bounds; the columns are those of `intent_events`, and `held`. */
export function withinBoundsSql(): string {
  const text = (column: string, { min, max, alphabet }: (typeof textBounds)[keyof typeof textBounds]) =>
    `match(${column}, ${quote(alphabetPatterns[alphabet].source.replace('*$', `{${min},${max}}$`))})`
  const number = (column: string, { min, max }: { min: number; max: number }) => `${column} BETWEEN ${min} AND ${max}`
  return [
    text('product', textBounds.product),
    text('device_model', textBounds.deviceModel),
    text('country', textBounds.country),
    text('locale', textBounds.locale),
    text('intent', textBounds.intent),
    text('app_version', textBounds.appVersion),
    number('occurred_ms', numberBounds.occurredAt),
    number('activated_day', numberBounds.activatedOn),
    number('latency', numberBounds.latencyMs),
    // Few events hold these; the empty text stands for none.
    `(skill_id = '' OR ${text('skill_id', textBounds.skillId)})`,
    `(order_id = '' OR (${[
      text('order_id', textBounds.orderId),
      number('amount_micros', numberBounds.amountMicros),
      text('currency', textBounds.currency),
    ].join(' AND ')}))`,
    `length(held) <= ${plansMax}`,
    `match(plans, '^(${planPattern()}(,${planPattern()})*)?$')`,
  ].join('\n      AND ')
}

function planPattern(): string {
  const { min, max, alphabet } = textBounds.plan
  return alphabetPatterns[alphabet].source.replace('^', '').replace('*$', `{${min},${max}}`)
}

const list = (items: readonly (string | number)[]) => `[${items.join(', ')}]`
const quote = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
