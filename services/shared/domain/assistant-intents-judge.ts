import { alphabetPatterns } from './alphabet.ts'
import { slotOf } from './assistant-intents-fields.ts'
import type { SchemaNode } from './avro-schema.ts'
import { plansMax, textBounds } from './event.ts'
import { viewOf } from './log-record.ts'
import { keepText, type KeptText } from './native-dictionary.ts'
import { createSpanCache } from './span-cache.ts'
import { textBytes } from './text-table.ts'
import type { Judge, JudgeOptions } from './stream.ts'
import { classify, outcomes, valueClasses, type Outcome, type Verdict } from './taxonomy.ts'
import { readVarint } from './walker.ts'

const slots = {
  plans: slotOf('plans'),
  outcome: slotOf('outcome'),
  orderId: slotOf('purchase.orderId'),
}

interface PlanSet {
  readonly valid: boolean
  readonly plans: readonly string[]
  /** The plans joined by commas. */
  readonly text: KeptText
  /** Sets that satisfy the same rules have the same number: a few, where there may be a thousand sets. */
  readonly number: number
}

interface Intent {
  readonly name: string
  /** What its column's table had been emptied when it got this number. */
  readonly emptied: number
  /** By set number, outcome and purchase. */
  readonly verdicts: Map<number, WrittenVerdict>
}

interface WrittenVerdict {
  /** Its number in the table's enum. */
  readonly valueClass: number
  readonly ruleId: KeptText
}

/** More than the plans of a valid event take. */
const plansBytesMax = 1_024

/** An Avro array without items. */
const emptyArray = viewOf(Uint8Array.of(0))

/** Answers kept; a flood of distinct intents or plans empties them instead of filling memory. */
const answersMax = 4_096

/** Classes events of one writer schema. On the hot path: every answer that comes again is kept. */
export function createIntentJudge(options: JudgeOptions): Judge {
  const { taxonomy, columns } = options
  const writerOutcomes = outcomesOf(options.nodeOf('outcome'))
  const outcomeNumbers = writerOutcomes.map((outcome) => (outcome === undefined ? -1 : outcomes.indexOf(outcome)))
  const latin = new TextDecoder('latin1')
  const encode = new TextEncoder()
  const found = columns.found('intent')
  const putPlans = columns.text('plans')
  const putOutcome = columns.int8('outcome')
  const putValueClass = columns.int8('value_class')
  const putRuleId = columns.text('rule_id')
  const setNumbers = new Map<string, number>()
  let setNumbersMade = 0
  const planSets = createSpanCache(planSetOf, 1_024)
  /** By the number of the intent's text. */
  const intents: (Intent | undefined)[] = []
  const written = new Map<string, WrittenVerdict>()
  /** Of the event that was checked last. */
  let planSet = planSets.get(emptyArray, 0, emptyArray.byteLength)

  function planSetOf(span: Uint8Array): PlanSet {
    const plans = readPlans(span, latin)
    return {
      valid: plansAreValid(plans),
      plans,
      text: keepText(encode.encode(plans.join(','))),
      number: setNumberOf(plans),
    }
  }

  function intentOf(number: number): Intent {
    const { texts } = found.dictionary
    const intent = intents[number]
    if (intent !== undefined && intent.emptied === texts.emptied) {
      return intent
    }
    const name = latin.decode(textBytes(texts, number))
    return (intents[number] = { name, emptied: texts.emptied, verdicts: new Map() })
  }

  function setNumberOf(plans: readonly string[]): number {
    const satisfied = taxonomy.rules
      .map((rule) => (rule.plans?.some((plan) => plans.includes(plan)) ? '1' : '0'))
      .join('')
    let number = setNumbers.get(satisfied)
    if (number === undefined) {
      if (setNumbers.size >= answersMax) {
        setNumbers.clear()
      }
      number = setNumbersMade++
      setNumbers.set(satisfied, number)
    }
    return number
  }

  function verdictOf(intent: Intent, planSet: PlanSet, outcomeIndex: number, hasPurchase: boolean): WrittenVerdict {
    const key = (planSet.number * 16 + outcomeIndex) * 2 + (hasPurchase ? 1 : 0)
    let verdict = intent.verdicts.get(key)
    if (verdict === undefined) {
      const outcome = writerOutcomes[outcomeIndex]!
      verdict = toWrite(classify(taxonomy, { intent: intent.name, outcome, plans: planSet.plans, hasPurchase }))
      if (intent.verdicts.size >= answersMax) {
        intent.verdicts.clear()
      }
      intent.verdicts.set(key, verdict)
    }
    return verdict
  }

  function toWrite({ valueClass, ruleId }: Verdict): WrittenVerdict {
    let verdict = written.get(ruleId)
    if (verdict === undefined) {
      // A rule has one class, so its id is key enough; the empty id is "unclassified".
      verdict = { valueClass: valueClasses[valueClass], ruleId: keepText(encode.encode(ruleId)) }
      written.set(ruleId, verdict)
    }
    return verdict
  }

  return {
    invalidField({ bytes, view }, at) {
      if (writerOutcomes[readVarint(bytes, at[slots.outcome]!)] === undefined) {
        return slots.outcome >> 1
      }
      const start = at[slots.plans]!
      const end = at[slots.plans + 1]!
      // What is looked up is kept, so what is far too long is not.
      planSet = end - start > plansBytesMax ? planSetOf(bytes.subarray(start, end)) : planSets.get(view, start, end)
      return planSet.valid ? -1 : slots.plans >> 1
    },
    append({ bytes }, at) {
      const intent = intentOf(found.number())
      const outcomeIndex = readVarint(bytes, at[slots.outcome]!)
      const verdict = verdictOf(intent, planSet, outcomeIndex, at[slots.orderId]! >= 0)
      putPlans(planSet.text)
      putOutcome(outcomeNumbers[outcomeIndex]!)
      putValueClass(verdict.valueClass)
      putRuleId(verdict.ruleId)
    },
  }
}

/** The outcomes by the writer's own symbol order; a symbol we do not know is undefined, and its events are rejected. */
function outcomesOf(node: SchemaNode | undefined): (Outcome | undefined)[] {
  const symbols = node?.kind === 'enum' ? node.symbols : []
  return symbols.slice(0, 16).map((symbol) => outcomes.find((outcome) => outcome === symbol))
}

/** The texts of an Avro array of strings whose bytes a walk has proved. */
function readPlans(span: Uint8Array, latin: TextDecoder): string[] {
  const plans: string[] = []
  let position = 0
  const next = (): number => {
    const value = readVarint(span, position)
    while (span[position]! >= 0x80) {
      position += 1
    }
    position += 1
    return value
  }
  for (let count = next(); count !== 0; count = next()) {
    if (count < 0) {
      count = -count
      next()
    }
    for (; count > 0; count--) {
      const size = next()
      plans.push(latin.decode(span.subarray(position, position + size)))
      position += size
    }
  }
  return plans
}

function plansAreValid(plans: readonly string[]): boolean {
  const { min, max, alphabet } = textBounds.plan
  return (
    plans.length <= plansMax &&
    plans.every(
      (plan, index) =>
        plan.length >= min &&
        plan.length <= max &&
        alphabetPatterns[alphabet].test(plan) &&
        (index === 0 || plans[index - 1]! < plan),
    )
  )
}
