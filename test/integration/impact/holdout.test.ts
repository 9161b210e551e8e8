/** `readHoldout` on the tables as they are: its figures are worked out a second time here, from the rows and without moments. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { readHoldout } from '../../../services/impact/holdout.ts'
import type { CausalEstimate } from '../../../services/impact/holdout-estimates.ts'
import { cliEnvironment } from '../../support/cli.ts'
import { ecosystemRows, type ArmRow, type DeviceRow, type OrderRow } from '../../support/ecosystem-rows.ts'
import { createRandom } from '../../support/random-usage.ts'
import { runVerbHere } from '../../support/verb-here.ts'
import { viewsCase } from '../../support/views-case.ts'

const drawn = { experiment: 'echo_holdout', product: 'echo', fromDay: '2020-01-01', toDay: '2020-12-31' }
const question = { product: 'echo', from: '2020-03-01', to: '2020-06-30', currency: 'USD' }

interface Household {
  readonly id: number
  readonly arm: 'treatment' | 'holdout'
  readonly owns: boolean
  readonly outcome: number
  readonly earlier: number
}

test('figures of a random population equal what its rows say', async (t) => {
  const { stack, pipeline, database } = await viewsCase(t)
  const deps = { clickHouse: pipeline, database }
  const insert = ecosystemRows(deps)
  const { households, arms, devices, orders } = population(createRandom(1), 1_500)
  await insert.arms(arms)
  await insert.devices(devices)
  await insert.orders(orders)

  const report = await readHoldout(deps, question)
  const of = (arm: Household['arm']) => households.filter((one) => one.arm === arm)
  const [treatment, holdout] = [of('treatment'), of('holdout')]
  const [owners, others] = [households.filter(({ owns }) => owns), households.filter(({ owns }) => !owns)]

  assert.deepEqual(report.window, { from: '2020-03-01', to: '2020-06-30', days: 122 })
  // 122 days before the experiment begins, though the first order is older.
  assert.deepEqual(report.before, { from: '2019-09-01', to: '2019-12-31', days: 122 })
  assert.equal(report.bothArms, 7)
  assert.equal(report.refusal, null)
  assert.equal(report.arms!.treatment.households, treatment.length)
  assert.equal(report.arms!.treatment.owners, treatment.filter(({ owns }) => owns).length)
  assert.equal(report.arms!.holdout.owners, holdout.filter(({ owns }) => owns).length)
  assert.equal(report.owning!.owners.households, owners.length)
  near(report.arms!.holdout.meanMarginMicros!, mean(holdout.map(({ outcome }) => outcome)))
  assert.deepEqual(
    report.otherCurrencies.map(({ currency, lines, marginMicros }) => [currency, lines, marginMicros]),
    [['EUR', 2, 5_000_000n]],
  )

  const { estimates } = report
  assertWelch(estimates.intentionToTreat, outcomes(treatment), outcomes(holdout))
  assertWelch(estimates.placebo, earlier(treatment), earlier(holdout))
  assertWelch(estimates.naive, outcomes(owners), outcomes(others))
  const change = (group: readonly Household[]) => group.map((one) => one.outcome - one.earlier)
  assertWelch(estimates.differenceInDifferences, change(owners), change(others))

  const theta =
    covariance(outcomes(households), earlier(households)) / covariance(earlier(households), earlier(households))
  const adjusted = (group: readonly Household[]) => group.map((one) => one.outcome - theta * one.earlier)
  assertWelch(estimates.intentionToTreatCuped, adjusted(treatment), adjusted(holdout))
  assert.ok(
    estimates.intentionToTreatCuped!.standardErrorMicros! < 0.8 * estimates.intentionToTreat!.standardErrorMicros!,
    'earlier margin explains much of it',
  )
  const share = (group: readonly Household[]) => mean(group.map(({ owns }) => Number(owns)))
  const exposure = share(treatment) - share(holdout)
  near(estimates.exposureScaled!.estimateMicros, (mean(outcomes(treatment)) - mean(outcomes(holdout))) / exposure)
  near(estimates.exposureScaledCuped!.estimateMicros, (mean(adjusted(treatment)) - mean(adjusted(holdout))) / exposure)
  // Frisch, Waugh and Lovell: the coefficient of owning is that of its residuals on earlier margin.
  const slope =
    covariance(
      households.map(({ owns }) => Number(owns)),
      earlier(households),
    ) / covariance(earlier(households), earlier(households))
  const residuals = households.map(({ owns, earlier: before }) => Number(owns) - slope * before)
  near(
    estimates.regressionAdjusted!.estimateMicros,
    covariance(residuals, outcomes(households)) / covariance(residuals, residuals),
  )
  const { credibility } = estimates.exposureScaledCuped!
  near(credibility!.ratio, estimates.exposureScaledCuped!.estimateMicros / estimates.naive!.estimateMicros)
  assert.ok(credibility!.low < credibility!.ratio && credibility!.ratio < credibility!.high)

  const causal = (...words: string[]) =>
    runVerbHere(['impact', 'causal', ...words], { ...cliEnvironment(stack), CLICKHOUSE_DATABASE: database })

  await t.test('the verb prints them, and what they say', async () => {
    const asked = ['--currency', 'USD', '--from', question.from, '--to', question.to]
    const { code, stdout } = await causal(...asked, '--product', 'echo')
    t.diagnostic(`\n${stdout}`)
    assert.equal(code, 0)
    assert.match(stdout, /^echo: echo_holdout, 2020-03-01 to 2020-06-30, 122 days \(UTC\), USD, all lines$/m)
    assert.match(stdout, /^time before: 2019-09-01 to 2019-12-31, 122 days$/m)
    assert.match(stdout, /^order lines in other currencies, left out: 2 in EUR \(margin 5\.00\)$/m)
    const naive = (estimates.naive!.estimateMicros / 1e6).toFixed(2)
    assert.match(stdout, new RegExp(`^owners minus others +observational +owner +${naive} \\(`, 'm'))
    assert.match(stdout, /^intention to treat, CUPED +by lot +household +-?\d/m)
    const json = JSON.parse((await causal(...asked, '--format', 'json')).stdout) as { experiments: (typeof report)[] }
    assert.deepEqual(
      json.experiments.map(({ experiment, estimates: { placebo } }) => [experiment, placebo!.estimateMicros]),
      [['echo_holdout', estimates.placebo!.estimateMicros]],
    )
  })

  await t.test('the verb takes the days of the experiment as far as there are orders', async () => {
    const { stdout } = await causal('--currency', 'USD')
    assert.match(stdout, /^echo: echo_holdout, 2020-01-01 to 2020-07-01, 183 days/m)
  })

  for (const [words, says] of [
    [[], /several currencies and nothing here converts; name one with --currency: USD, EUR/],
    [['--currency', 'GBP'], /there is no order in GBP$/],
    [['--currency', 'USD', '--line', 'e_boks'], /there is no order in USD of line e_boks/],
    [['--product', 'tablet'], /no experiment withholds tablet; there are experiments of echo/],
    [['--currency', 'USD', '--from', '2019-12-31'], /echo_holdout withholds its product from 2020-01-01 to 2020-12-31/],
    [['--from', '2020-03-01', '--to', '2020-02-01'], /--from 2020-03-01 is a day after --to 2020-02-01/],
  ] as const)
    await t.test(`the verb refuses ${words.join(' ') || 'to guess a currency'}`, async () => {
      const { code, stderr } = await causal(...words)
      assert.equal(code, 2)
      assert.match(stderr, says)
    })

  await t.test('of one line', async () => {
    const music = await readHoldout(deps, { ...question, line: 'music' })
    const sums = new Map<number, number>()
    for (const order of orders)
      if (order.line === 'music' && (order.currency ?? 'USD') === 'USD' && inWindow(order.day))
        sums.set(order.household, (sums.get(order.household) ?? 0) + order.marginMicros)
    const spent = (group: readonly Household[]) => group.map(({ id }) => sums.get(id) ?? 0)
    assertWelch(music.estimates.intentionToTreat, spent(treatment), spent(holdout))
  })

  await t.test('with as much of the time before as there is', async () => {
    const year = await readHoldout(deps, { ...question, from: '2020-01-01', to: '2020-12-31' })
    assert.deepEqual(year.before, { from: '2019-07-15', to: '2019-12-31', days: 170 })
  })

  await t.test('days outside of the experiment, a product without one and an unknown one are refused', async () => {
    await assert.rejects(readHoldout(deps, { ...question, to: '2021-01-01' }), /from 2020-01-01 to 2020-12-31/)
    await assert.rejects(
      readHoldout(deps, { ...question, product: 'tablet' }),
      /no experiment withholds product tablet/,
    )
    await assert.rejects(readHoldout(deps, { ...question, experiment: 'x' }), /no experiment x; there are echo_holdout/)
  })
})

test('what an experiment may lack', async (t) => {
  const { stack, pipeline, database } = await viewsCase(t)
  const deps = { clickHouse: pipeline, database }
  const insert = ecosystemRows(deps)
  const arm = (household: number, experiment: string, rest: Partial<ArmRow> = {}): ArmRow => ({
    ...{ ...drawn, household, experiment, product: experiment, arm: 'treatment', shareMillionths: 500_000, ...rest },
  })
  const ids = Array.from({ length: 400 }, (_, id) => id + 1)
  const half = (id: number) => (id % 2 === 0 ? 'holdout' : 'treatment')
  await insert.arms([
    ...ids.map((id) => arm(id, 'no_orders', { arm: half(id) })),
    ...ids.map((id) => arm(id, 'no_holdout', { shareMillionths: 1_000_000 })),
    ...ids.map((id) => arm(id, 'no_treatment', { arm: 'holdout' })),
    ...ids.map((id) => arm(id, 'lost_some', { arm: id % 4 === 0 ? 'holdout' : 'treatment' })),
    ...ids.map((id) => arm(id, 'changed', { arm: half(id), shareMillionths: id < 200 ? 500_000 : 400_000 })),
    ...ids.map((id) => arm(id, 'all_in_both', { arm: 'treatment' })),
    ...ids.map((id) => arm(id, 'all_in_both', { arm: 'holdout' })),
    ...ids.map((id) => arm(id, 'told_twice', { arm: half(id) })),
    ...ids.map((id) => arm(id, 'told_twice', { arm: half(id) })),
  ])
  await insert.devices(
    ids.flatMap((id): DeviceRow[] =>
      ['no_orders', 'no_holdout'].flatMap((product) =>
        id % 3 === 0 ? [{ household: id, device: id, product, activatedOn: '2020-02-01' }] : [],
      ),
    ),
  )
  const read = (product: string) => readHoldout(deps, { ...question, product })

  await t.test('no order at all: nothing differs and nothing is bounded', async () => {
    const { before, refusal, estimates } = await read('no_orders')
    assert.deepEqual([before, refusal], [null, null])
    assert.deepEqual(estimates.intentionToTreat, {
      ...{ estimateMicros: 0, standardErrorMicros: null, degreesOfFreedom: null, lowMicros: null, highMicros: null },
      credibility: null,
    })
  })

  await insert.orders(ids.map((household) => ({ household, day: '2020-04-01', marginMicros: household * 1e6 })))

  await t.test('no time before: only what needs none', async () => {
    const { before, estimates } = await read('no_orders')
    assert.equal(before, null)
    const told = Object.entries(estimates).flatMap(([name, one]) => (one === null ? [] : [name]))
    assert.deepEqual(told.sort(), ['exposureScaled', 'intentionToTreat', 'naive'])
  })

  await t.test('a holdout of zero: only the observational', async () => {
    const { refusal, sampleRatio, estimates, arms } = await read('no_holdout')
    assert.deepEqual([refusal?.code, sampleRatio, estimates.intentionToTreat], ['no_holdout', null, null])
    assert.equal(arms!.holdout.meanMarginMicros, null)
    assert.ok(estimates.naive!.lowMicros! < estimates.naive!.estimateMicros)
  })

  for (const [product, code] of [
    ['no_treatment', 'no_treatment'],
    ['lost_some', 'sample_ratio'],
    ['changed', 'changed_shares'],
    ['all_in_both', 'no_holdout'],
  ] as const)
    await t.test(`${product} is refused as ${code}`, async () => {
      const { refusal, estimates, arms } = await read(product)
      assert.equal(refusal?.code, code)
      assert.equal(estimates.intentionToTreat, null)
      if (code === 'sample_ratio' || code === 'changed_shares') assert.deepEqual([arms, estimates.naive], [null, null])
    })

  await t.test('the verb says why, in the table, and exits 1 only where arms are not what the lot drew', async () => {
    const causal = (product: string) =>
      runVerbHere(['impact', 'causal', '--product', product], {
        ...cliEnvironment(stack),
        CLICKHOUSE_DATABASE: database,
      })
    const lost = await causal('lost_some')
    assert.equal(lost.code, 1)
    assert.match(lost.stdout, /^refused: the arms are not as large as the lot was to make them \(p = /m)
    assert.match(lost.stdout, /^intention to treat +by lot +household +-$/m)
    const none = await causal('no_holdout')
    assert.equal(none.code, 0)
    assert.match(none.stdout, /^refused: nobody is held out/m)
    assert.match(none.stdout, /^owners minus others +observational +owner +-?\d/m)
  })

  await t.test('a household that is told twice counts once', async () => {
    const { bothArms, arms } = await read('told_twice')
    assert.deepEqual([bothArms, arms!.treatment.households, arms!.holdout.households], [0, 200, 200])
  })
})

/** Heavy spenders own more; owning adds a little; some devices came back, some orders too. Sums are kept beside the rows. */
function population(random: () => number, size: number) {
  const arms: ArmRow[] = []
  const devices: DeviceRow[] = []
  const orders: OrderRow[] = []
  const households = Array.from({ length: size }, (_, at): Household => {
    const id = at + 1
    const arm = random() < 0.2 ? 'holdout' : 'treatment'
    const level = Math.exp(random() + random())
    const owns = random() < (arm === 'holdout' ? 0.03 : level / 10)
    arms.push({ ...drawn, household: id, arm, shareMillionths: arm === 'holdout' ? 200_000 : 800_000 })
    const spent = { outcome: 0, earlier: 0 }
    const order = (day: string, marginMicros: number, line = 'retail') => {
      orders.push({ household: id, day, marginMicros, line })
      if (inWindow(day)) spent.outcome += marginMicros
      if (day >= '2019-09-01' && day < '2020-01-01') spent.earlier += marginMicros
    }
    const micros = () => Math.round(level * (0.7 + 0.6 * random()) * 1e7)
    for (const day of [
      '2019-07-15',
      '2019-08-31',
      '2019-09-01',
      '2019-12-31',
      '2020-01-01',
      '2020-02-29',
      '2020-07-01',
    ])
      order(day, micros())
    order('2020-03-01', micros() + (owns ? 4_000_000 : 0))
    order('2020-06-30', micros(), 'music')
    if (id % 5 === 0) order('2020-04-02', -micros())
    if (owns) devices.push({ household: id, device: id, product: 'echo', activatedOn: '2020-06-30' })
    if (id % 6 === 0)
      devices.push(
        // Of another product, too late, given back in time, and given back too late to matter for who owns another one anyway.
        { household: id, device: 10_000 + id, product: 'kindle', activatedOn: '2020-01-05' },
        { household: id, device: 20_000 + id, product: 'echo', activatedOn: '2020-07-01' },
        { household: id, device: 30_000 + id, product: 'echo', activatedOn: '2020-02-01', returnedOn: '2020-06-30' },
      )
    return { id, arm, owns, ...spent }
  })
  // Of nobody in the experiment, in both arms of it, in another currency.
  orders.push({ household: 99_999, day: '2020-04-01', marginMicros: 7_000_000 })
  for (let household = 50_001; household <= 50_007; household++) {
    for (const arm of ['treatment', 'holdout'] as const)
      arms.push({ ...drawn, household, arm, shareMillionths: arm === 'holdout' ? 200_000 : 800_000 })
    orders.push({ household, day: '2020-04-01', marginMicros: 9_000_000_000 })
  }
  for (const household of [1, 2])
    orders.push({ household, day: '2020-04-01', marginMicros: 2_500_000, currency: 'EUR' })
  return { households, arms, devices, orders }
}

const inWindow = (day: string) => day >= question.from && day <= question.to
const outcomes = (group: readonly Household[]) => group.map(({ outcome }) => outcome)
const earlier = (group: readonly Household[]) => group.map((one) => one.earlier)
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

function covariance(a: readonly number[], b: readonly number[]): number {
  const [meanA, meanB] = [mean(a), mean(b)]
  return a.reduce((sum, value, at) => sum + (value - meanA) * (b[at]! - meanB), 0) / (a.length - 1)
}

function assertWelch(found: CausalEstimate | null, first: readonly number[], second: readonly number[]): void {
  near(found!.estimateMicros, mean(first) - mean(second))
  near(
    found!.standardErrorMicros!,
    Math.sqrt(covariance(first, first) / first.length + covariance(second, second) / second.length),
  )
}

function near(found: number, expected: number): void {
  assert.ok(Math.abs(found - expected) <= 1e-9 * Math.abs(expected), `${found} is not ${expected}`)
}
