import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { Amounts } from '../../../../services/impact/pnl/amounts.ts'
import type { Facts } from '../../../../services/impact/pnl/facts.ts'
import { productLedger, type ProductLedger } from '../../../../services/impact/pnl/ledger.ts'
import { monthOf } from '../../../../services/impact/pnl/month.ts'
import { noFacts, plainAssumptions, plainProduct, soldIn } from '../../../support/pnl-facts.ts'

const cohort = monthOf('2017-11')
const span = { first: monthOf('2017-01'), last: monthOf('2018-02') }
const product = 'echo'
const ledger = (facts: Partial<Facts>, changed: Partial<typeof plainAssumptions> = {}) =>
  productLedger(plainProduct, { ...noFacts, ...facts }, span, { ...plainAssumptions, ...changed })
const column = ({ cohorts }: ProductLedger, of: (amounts: Amounts) => unknown) => cohorts[0]!.months.map(of)

test('price, cost of goods and freight fall into the month of activation, and months reach to the report’s last', () => {
  const sold = ledger(soldIn('2017-11'))
  assert.equal(sold.cohorts.length, 1)
  assert.deepEqual(
    column(sold, ({ priceMicros, costOfGoodsMicros, freightMicros }) => [
      priceMicros,
      costOfGoodsMicros,
      freightMicros,
    ]),
    [[1_000n, 600n, 100n], ...Array<bigint[]>(3).fill([0n, 0n, 0n])],
  )
})

test('a return costs price, handling and the lost part of its cost of goods, in the month it came back', () => {
  const back = { product, cohort, month: cohort + 1, devices: 2, priceMicros: 200n, costOfGoodsMicros: 120n }
  const { cohorts } = ledger({ ...soldIn('2017-11'), returns: [back] })
  // 200 paid back, 2 x 5 for handling, and of 120 three quarters are recovered.
  assert.deepEqual(
    column({ cohorts } as ProductLedger, (month) => month.returnsMicros),
    [0n, 120n, 0n, 0n],
  )
  assert.equal(cohorts[0]!.returned, 2)
})

test('a stored event costs what the requests cost that it stands for', () => {
  const requests = [{ product, cohort, month: cohort + 2, events: 7n }]
  assert.deepEqual(
    column(ledger({ ...soldIn('2017-11'), requests }), (month) => month.costToServeMicros),
    [0n, 0n, 14n, 0n],
  )
})

test('a year’s claimed margin is spread over its months by owner-days, exactly', () => {
  const claimed = [
    { product, cohort, year: 2017, micros: 410n },
    { product, cohort, year: 2018, micros: 60n },
  ]
  // 100 owner-days in November, 310 in December; 310 in January, 280 in February.
  assert.deepEqual(
    column(ledger({ ...soldIn('2017-11'), claimed }), (month) => month.claimedMicros),
    [100n, 310n, 31n, 29n],
  )
})

test('what is claimed of a cohort that owns nothing in that year is kept, in the year’s first month', () => {
  const claimed = [{ product, cohort, year: 2018, micros: 60n }]
  const owners = [{ product, cohort, month: cohort, change: 0, days: 10 }]
  assert.deepEqual(
    column(ledger({ ...soldIn('2017-11'), owners, claimed }), (month) => month.claimedMicros),
    [0n, 0n, 60n, 0n],
  )
})

test('a year’s effect counts for the owners at its end and is spread over cohorts and months by owner-days', () => {
  const old = { product, cohort: cohort - 12, month: cohort - 12, change: 30, days: 30 }
  const perOwner = { micros: 59, low: -59, high: 118 }
  const effect = { product, year: 2018, perOwner, whyNone: null, upToYear: { micros: 60, low: 50, high: 75 } }
  const { cohorts, years } = ledger({
    ...{ ...soldIn('2017-11'), effects: [effect] },
    owners: [...soldIn('2017-11').owners, old],
  })
  assert.deepEqual(years, [
    { year: 2017, owners: 40, reach: null },
    { year: 2018, owners: 40, reach: { below: 400n, above: 600n } },
  ])
  // 40 owners: 2,360 over 59 days of 40 owners, of which 10 are of this cohort; the older one was sold before the report.
  assert.deepEqual(
    cohorts.map(({ months }) => months.map(({ incremental }) => incremental)),
    [
      [
        ...Array<object>(2).fill({ micros: 0n, low: 0n, high: 0n }),
        { micros: 310n, low: -310n, high: 620n },
        { micros: 280n, low: -280n, high: 560n },
      ],
    ],
  )
})

test('an effect without a bound leaves none, and one that is not known leaves no figure', () => {
  const effectOf = (perOwner: object | null) =>
    ({
      ...{ product, year: 2017, perOwner, upToYear: perOwner },
      whyNone: perOwner === null ? 'nobody is held out' : null,
    }) as Facts['effects'][0]
  const unbounded = ledger({
    ...soldIn('2017-11'),
    effects: [effectOf({ micros: 41, low: -Infinity, high: Infinity })],
  })
  assert.deepEqual(unbounded.cohorts[0]!.months[0]!.incremental, { micros: 100n, low: null, high: null })
  assert.equal(unbounded.years[0]!.reach, null)
  const unknown = ledger({ ...soldIn('2017-11'), effects: [effectOf(null)] })
  assert.equal(unknown.cohorts[0]!.months[0]!.incremental, null)
})

test('what comes after the horizon is left out, and said', () => {
  const requests = [{ product, cohort, month: cohort + 2, events: 7n }]
  const short = ledger({ ...soldIn('2017-11'), requests }, { horizonMonths: 2 })
  assert.equal(short.cohorts[0]!.months.length, 2)
  assert.equal(short.isCut, true)
  assert.equal(ledger({ ...soldIn('2017-11'), requests }, { horizonMonths: 3 }).isCut, false)
})

test('other products and cohorts of before the report are not in it', () => {
  const { cohorts } = ledger({
    sales: [...soldIn('2017-11', 'ring').sales, ...soldIn('2016-12').sales, ...soldIn('2017-01').sales],
  })
  assert.deepEqual(
    cohorts.map((one) => one.cohort),
    [span.first],
  )
})
