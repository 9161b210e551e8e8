/**
 * The taxonomy: which requests earn something. Ordered rules, the first that matches decides.
 *
 * The five classes of the design and `unclassified`, for an intent that no rule knows: counted and listed, never dropped.
 * The numbers are those of the ClickHouse Enum8 (infra/clickhouse/migrations) and must never be reassigned.
 */
export const valueClasses = {
  direct: 1,
  assisted: 2,
  entitlement: 3,
  free: 4,
  not_a_request: 5,
  unclassified: 6,
} as const

export type ValueClass = keyof typeof valueClasses

/** Classes that are monetised. Decided when a share is asked for, never when an event is stored. */
const monetisedClasses = {
  strict: ['direct'],
  broad: ['direct', 'assisted', 'entitlement'],
} as const satisfies Record<string, readonly ValueClass[]>

export type ShareDefinition = keyof typeof monetisedClasses

export function isMonetised(valueClass: ValueClass, definition: ShareDefinition): boolean {
  return (monetisedClasses[definition] as readonly ValueClass[]).includes(valueClass)
}

export const outcomes = ['fulfilled', 'failed', 'not_understood', 'abandoned'] as const
export type Outcome = (typeof outcomes)[number]

export interface TaxonomyRule {
  readonly id: string
  readonly valueClass: Exclude<ValueClass, 'unclassified'>
  /** Exact intents, prefixes ending in `*`, or `*` alone. */
  readonly intents: readonly string[]
  /** The rule needs one of these outcomes. */
  readonly outcomes?: readonly Outcome[] | undefined
  /** The rule needs one of these plans to be held. */
  readonly plans?: readonly string[] | undefined
  /** The rule needs a purchase to be present (true) or absent (false). */
  readonly purchase?: boolean | undefined
}

export interface Taxonomy {
  readonly version: number
  readonly description: string
  readonly rules: readonly TaxonomyRule[]
}

/** What of an event the rules may look at. */
export interface Classifiable {
  readonly intent: string
  readonly outcome: Outcome
  readonly plans: readonly string[]
  readonly hasPurchase: boolean
}

export interface Verdict {
  readonly valueClass: ValueClass
  /** The rule that decided; empty when no rule knows the intent. */
  readonly ruleId: string
}

const unknownIntent: Verdict = { valueClass: 'unclassified', ruleId: '' }

/** Classes one request. A pure function of the taxonomy and the request; about 1 us, so callers keep its answers. */
export function classify(taxonomy: Taxonomy, request: Classifiable): Verdict {
  for (const rule of taxonomy.rules) {
    if (ruleMatches(rule, request)) {
      return { valueClass: rule.valueClass, ruleId: rule.id }
    }
  }
  return unknownIntent
}

function ruleMatches(rule: TaxonomyRule, request: Classifiable): boolean {
  return (
    rule.intents.some((pattern) => patternCovers(pattern, request.intent)) &&
    (rule.outcomes === undefined || rule.outcomes.includes(request.outcome)) &&
    (rule.plans === undefined || rule.plans.some((plan) => request.plans.includes(plan))) &&
    (rule.purchase === undefined || rule.purchase === request.hasPurchase)
  )
}

/** Whether an intent pattern (`shopping_buy`, `shopping_*`, `*`) covers an intent or another pattern. */
export function patternCovers(pattern: string, intent: string): boolean {
  return pattern.endsWith('*') ? intent.startsWith(pattern.slice(0, -1)) : pattern === intent
}
