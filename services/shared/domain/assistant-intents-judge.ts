import { alphabetPatterns } from './alphabet.ts'
import { intentFields, slotOf } from './assistant-intents-fields.ts'
import type { SchemaNode } from './avro-schema.ts'
import { createByteSink, type ByteSink } from './byte-sink.ts'
import { plansMax, textBounds } from './event.ts'
import { createFieldChecks } from './field-checks.ts'
import { viewOf } from './log-record.ts'
import { createSpanCache } from './span-cache.ts'
import type { Judge, JudgeOptions } from './stream.ts'
import { classify, outcomes, valueClasses, type Outcome, type Verdict } from './taxonomy.ts'
import { readVarint } from './walker.ts'

const checkFields = createFieldChecks(intentFields)

const slots = {
  plans: slotOf('plans'),
  intent: slotOf('intent'),
  outcome: slotOf('outcome'),
  orderId: slotOf('purchase.orderId'),
  amountMicros: slotOf('purchase.amountMicros'),
  currency: slotOf('purchase.currency'),
  skillId: slotOf('skillId'),
}

interface PlanSet {
  readonly valid: boolean
  readonly plans: readonly string[]
  /** The plans joined by commas, sized: ready to copy. */
  readonly block: DataView
  /** Sets that satisfy the same rules have the same number: a few, where there may be a thousand sets. */
  readonly number: number
}

interface Intent {
  readonly name: string
  /** Class and rule id, ready to copy, by set number, outcome and purchase. */
  readonly verdicts: Map<number, DataView>
}

/** An Avro array without items. */
const emptyArray = Uint8Array.of(0)

/** Answers kept; a flood of distinct intents or plans empties them instead of filling memory. */
const answersMax = 4_096

/** Checks and classes events of one writer schema. On the hot path: every answer that comes again is kept as bytes. */
export function createIntentJudge(options: JudgeOptions): Judge {
  const { taxonomy } = options
  const writerOutcomes = outcomesOf(options.nodeOf('outcome'))
  const outcomeNumbers = writerOutcomes.map((outcome) => (outcome === undefined ? -1 : outcomes.indexOf(outcome)))
  const latin = new TextDecoder('latin1')
  const setNumbers = new Map<string, number>()
  let setNumbersMade = 0
  const planSets = createSpanCache<PlanSet>((span) => {
    const plans = readPlans(span, latin)
    return { valid: plansAreValid(plans), plans, block: viewOf(textBytes(plans.join(','))), number: setNumberOf(plans) }
  }, 1_024)
  const intents = createSpanCache<Intent>((span) => ({ name: latin.decode(span), verdicts: new Map() }), answersMax)
  const ruleBlocks = new Map<string, DataView>()
  /** Of the event that was checked last. */
  let planSet = planSets.get(emptyArray, 0, emptyArray.length)

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

  function verdictBlock(intent: Intent, planSet: PlanSet, outcomeIndex: number, hasPurchase: boolean): DataView {
    const key = (planSet.number * 16 + outcomeIndex) * 2 + (hasPurchase ? 1 : 0)
    let block = intent.verdicts.get(key)
    if (block === undefined) {
      const outcome = writerOutcomes[outcomeIndex]!
      const verdict = classify(taxonomy, { intent: intent.name, outcome, plans: planSet.plans, hasPurchase })
      block = blockOfVerdict(verdict)
      if (intent.verdicts.size >= answersMax) {
        intent.verdicts.clear()
      }
      intent.verdicts.set(key, block)
    }
    return block
  }

  function blockOfVerdict({ valueClass, ruleId }: Verdict): DataView {
    let block = ruleBlocks.get(ruleId)
    if (block === undefined) {
      // A rule has one class, so its id is key enough; the empty id is "unclassified".
      block = viewOf(Uint8Array.of(valueClasses[valueClass] * 2, ...textBytes(ruleId)))
      ruleBlocks.set(ruleId, block)
    }
    return block
  }

  return {
    invalidField(body, at) {
      const outside = checkFields(body, at)
      if (outside >= 0) {
        return outside
      }
      if (writerOutcomes[readVarint(body, at[slots.outcome]!)] === undefined) {
        return slots.outcome >> 1
      }
      planSet = planSets.get(body, at[slots.plans]!, at[slots.plans + 1]!)
      return planSet.valid ? -1 : slots.plans >> 1
    },
    append(body, at, sink) {
      const intent = intents.get(body, at[slots.intent]!, at[slots.intent + 1]!)
      const outcomeIndex = readVarint(body, at[slots.outcome]!)
      const verdict = verdictBlock(intent, planSet, outcomeIndex, at[slots.orderId]! >= 0)
      sink.block(verdict, 0, verdict.byteLength)
      sink.block(planSet.block, 0, planSet.block.byteLength)
      sink.long(outcomeNumbers[outcomeIndex]!)
      appendPurchase(body, at, sink)
      appendText(body, at, slots.skillId, sink)
    },
  }
}

/** A text as Avro writes it: its length, then its bytes. */
function textBytes(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text)
  const sink = createByteSink(bytes.length + 10)
  sink.sized(bytes, 0, bytes.length)
  return sink.view().slice()
}

/** Order id, amount and currency; empty, 0 and empty where there is no purchase. */
function appendPurchase(body: Uint8Array, at: Int32Array, sink: ByteSink): void {
  appendText(body, at, slots.orderId, sink)
  if (at[slots.amountMicros]! >= 0) {
    sink.raw(body, at[slots.amountMicros]!, at[slots.amountMicros + 1]!)
  } else {
    sink.long(0)
  }
  appendText(body, at, slots.currency, sink)
}

function appendText(body: Uint8Array, at: Int32Array, slot: number, sink: ByteSink): void {
  if (at[slot]! >= 0) {
    sink.sized(body, at[slot]!, at[slot + 1]!)
  } else {
    sink.long(0)
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
