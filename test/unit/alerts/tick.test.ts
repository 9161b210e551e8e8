import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { cohortKey } from '../../../services/alerts/inputs.ts'
import { untouched, type AlertState } from '../../../services/alerts/state.ts'
import { tick } from '../../../services/alerts/tick.ts'
import { benjaminiHochberg } from '../../../services/shared/domain/stats/benjamini-hochberg.ts'
import { makeRule } from '../../support/alert-rules.ts'
import { judgedDay, makeCell, makeInputs } from '../../support/alert-windows.ts'

const rule = makeRule({ by: ['country'] })
const endMs = judgedDay + 86_400_000
const none: ReadonlyMap<string, AlertState> = new Map()
const firing: AlertState = { ...untouched, phase: 'firing', held: 1, startsAtMs: judgedDay }

const shownBy = (judged: ReturnType<typeof tick>) =>
  judged.evaluations.map(({ cohort, status }) => `${cohort.join()} ${status}`)

test('judges every cohort by itself and tells the one that fell', () => {
  const inputs = makeInputs(rule, (week) => [
    makeCell({ cohort: ['DE'], share: 0.3, seed: week }),
    makeCell({ cohort: ['US'], share: week === 0 ? 0.2 : 0.3, seed: 10 + week }),
  ])
  const judged = tick(rule, judgedDay, inputs, none)
  assert.deepEqual(shownBy(judged), ['DE inactive', 'US firing'])
  assert.deepEqual(
    judged.transitions.map(({ cohort, from, to, startsAtMs, windowEndMs }) => [
      cohort,
      from,
      to,
      startsAtMs,
      windowEndMs,
    ]),
    [[['US'], 'inactive', 'firing', endMs, endMs]],
  )
  assert.deepEqual([...judged.states.keys()], [cohortKey(['US'])], 'who is inactive needs no state')
  assert.equal(judged.origin, 'seen')
})

test('a cohort that vanishes is insufficient data, and what it did before stands', () => {
  const inputs = makeInputs(rule, (week) => (week === 0 ? [] : [makeCell({ cohort: ['DE'], share: 0.3, seed: week })]))
  const before = new Map([[cohortKey(['US']), firing]])
  const judged = tick(rule, judgedDay, inputs, before)
  assert.deepEqual(shownBy(judged), ['DE insufficient_data', 'US insufficient_data'])
  assert.ok(judged.evaluations.every(({ finding, adjustedP }) => finding.insufficient !== null && adjustedP === null))
  const kept = judged.states.get(cohortKey(['US']))!
  assert.deepEqual([kept.phase, kept.startsAtMs], ['firing', judgedDay])
})

test('a rule over all has one alert, also where there is nothing', () => {
  const over = makeRule({})
  const judged = tick(
    over,
    judgedDay,
    makeInputs(over, () => []),
    none,
  )
  assert.deepEqual(shownBy(judged), [' insufficient_data'])
})

test('the p-values of a window are adjusted together, and what is not known is left out', () => {
  const inputs = makeInputs(rule, (week) => [
    ...Array.from({ length: 20 }, (_, place) =>
      makeCell({ cohort: [`C${place + 10}`], share: 0.3, seed: 100 * place + week }),
    ),
    makeCell({ cohort: ['SMALL'], share: week === 0 ? 0.1 : 0.3, households: 99, seed: week }),
  ])
  const { evaluations } = tick(rule, judgedDay, inputs, none)
  const known = evaluations.filter(({ finding }) => finding.insufficient === null)
  assert.equal(known.length, 20)
  assert.deepEqual(
    known.map(({ adjustedP }) => adjustedP),
    benjaminiHochberg(known.map(({ finding }) => finding.pValue!)),
  )
  assert.ok(known.every(({ finding, adjustedP }) => adjustedP! >= finding.pValue!))
  assert.equal(evaluations.find(({ cohort }) => cohort[0] === 'SMALL')!.adjustedP, null)
})

test('a change that would be sure alone is not, among two hundred that are as before', () => {
  const one = (places: number) => {
    const inputs = makeInputs(rule, (week) => [
      makeCell({ cohort: ['A'], share: week === 0 ? 0.264 : 0.3, perBucket: 40, seed: week + 1 }),
      ...Array.from({ length: places }, (_, place) =>
        makeCell({ cohort: [`C${place}`], share: 0.3, perBucket: 40, seed: 1_000 * (place + 1) + week }),
      ),
    ])
    return tick(rule, judgedDay, inputs, none).evaluations.find(({ cohort }) => cohort[0] === 'A')!
  }
  const [alone, among] = [one(0), one(200)]
  assert.equal(alone.finding.pValue, among.finding.pValue)
  assert.equal(alone.adjustedP, alone.finding.pValue)
  assert.ok(among.adjustedP! > 10 * alone.adjustedP!, `${alone.adjustedP} alone, ${among.adjustedP} among them`)
})

test('says that tables were read where one window of its inputs was not kept', () => {
  const inputs = makeInputs(rule, (week) => [makeCell({ cohort: ['DE'], share: 0.3, seed: week })])
  const [start, input] = [...inputs].at(-1)!
  inputs.set(start, { ...input, origin: 'tables' })
  assert.equal(tick(rule, judgedDay, inputs, none).origin, 'tables')
})

test('the same inputs give the same tick, in whatever order their cells come', () => {
  const shares = fc.double({ min: 0, max: 1, noNaN: true })
  const countries = fc.uniqueArray(fc.constantFrom('DE', 'US', 'GB', 'FR', 'IN'), { minLength: 1 })
  fc.assert(
    fc.property(countries, fc.array(shares, { minLength: 7, maxLength: 7 }), fc.boolean(), (names, drawn, fires) => {
      const cellsOf = (order: readonly string[]) => (week: number) =>
        order.map((name) => makeCell({ cohort: [name], share: drawn[week]! / 1.3, seed: name.charCodeAt(0) + week }))
      const before = new Map(fires ? [[cohortKey([names[0]!]), firing]] : [])
      const first = tick(rule, judgedDay, makeInputs(rule, cellsOf(names)), before)
      const again = tick(rule, judgedDay, makeInputs(rule, cellsOf([...names].reverse())), new Map(before))
      assert.deepEqual(again, first)
      assert.deepEqual([...again.states], [...first.states])
    }),
    { numRuns: 50 },
  )
})

test('a threshold misses who asked a week ago and is silent now, and forgets who was silent then, too', () => {
  const limit = makeRule({ by: ['country'], condition: { kind: 'threshold', side: 'below', value: 0.1 } })
  const missing = makeInputs(limit, (week) =>
    week === 0 ? [] : [makeCell({ cohort: ['DE'], share: 0.3, seed: week })],
  )
  const judged = tick(limit, judgedDay, missing, none)
  assert.deepEqual(shownBy(judged), ['DE insufficient_data'])
  const gone = tick(
    limit,
    judgedDay,
    makeInputs(limit, () => []),
    judged.states,
  )
  assert.deepEqual([shownBy(gone), gone.transitions, gone.states.size], [[], [], 0])
})
