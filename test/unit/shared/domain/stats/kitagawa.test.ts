import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'

import { kitagawa, type KitagawaCell } from '../../../../../services/shared/domain/stats/kitagawa.ts'
import { kitagawaCoverage } from '../../../../statistics/kitagawa.ts'

/**
 * Applicants to the six largest departments of Berkeley in 1973 and those admitted: R's data set UCBAdmissions, from Bickel,
 * Hammel & O'Connell (1975), Science 187, 398-403. Here a department is a cell, men are one period and women the other.
 */
const berkeley: [department: string, men: [admitted: number, rejected: number], women: [number, number]][] = [
  ['A', [512, 313], [89, 19]],
  ['B', [353, 207], [17, 8]],
  ['C', [120, 205], [202, 391]],
  ['D', [138, 279], [131, 244]],
  ['E', [53, 138], [94, 299]],
  ['F', [22, 351], [24, 317]],
]
const period = ([admitted, rejected]: [number, number]) => ({ requests: [admitted + rejected], monetised: [admitted] })

test('equals the reference at Berkeley: women apply where few are admitted', () => {
  const found = kitagawa(berkeley.map(([cell, men, women]) => ({ cell, before: period(men), after: period(women) })))!
  assert.equal((-found.total.estimate).toFixed(5), '0.14165')
  assert.equal(found.mix.estimate.toFixed(5), '-0.17767')
  assert.equal(found.rate.estimate.toFixed(5), '0.03603')
  assert.ok(Math.abs(found.mix.estimate + found.rate.estimate - found.total.estimate) < 1e-15)
  // One bucket holds everything, so there is no spread.
  assert.equal(found.rate.pValue, null)
  assert.deepEqual(
    found.cells.map(({ cell }) => cell),
    ['A', 'B', 'C', 'D', 'E', 'F'],
  )
})

const even = (x: number, y: number) => ({ requests: [x, x, x, x], monetised: [y, y - 1, y, y + 1] })

test('a shift of use between cells that do not change is all mix', () => {
  const found = kitagawa([
    { cell: 'echo', before: even(100, 40), after: even(50, 20) },
    { cell: 'fire', before: even(100, 10), after: even(150, 15) },
  ])!
  assert.ok(Math.abs(found.rate.estimate) < 1e-15)
  assert.ok(Math.abs(found.mix.estimate - -0.075) < 1e-15)
  assert.ok(found.mix.pValue! < 0.05 && found.mix.high! < 0)
})

test('a change within cells of the same weight is all rate', () => {
  const found = kitagawa([
    { cell: 'echo', before: even(100, 40), after: even(100, 30) },
    { cell: 'fire', before: even(100, 10), after: even(100, 10) },
  ])!
  assert.ok(Math.abs(found.mix.estimate) < 1e-15)
  assert.ok(Math.abs(found.rate.estimate - -0.05) < 1e-15)
  assert.deepEqual(
    found.cells.map(({ rate }) => Number(rate.toFixed(12))),
    [-0.05, 0],
  )
})

test('a cell with requests in one period only counts as mix', () => {
  const found = kitagawa([
    { cell: 'echo', before: even(100, 40), after: even(100, 40) },
    { cell: 'new', before: { requests: [], monetised: [] }, after: even(50, 5) },
  ])!
  assert.equal(found.rate.estimate, 0)
  assert.ok(Math.abs(found.mix.estimate - (45 / 150 - 0.4)) < 1e-15)
  assert.equal(found.cells[1]!.shareBefore, null)
  assert.equal(found.cells[1]!.shareAfter, 0.1)
})

test('has no answer for a period without requests', () => {
  assert.equal(kitagawa([{ cell: 'echo', before: even(100, 40), after: { requests: [0], monetised: [0] } }]), null)
  assert.equal(kitagawa([]), null)
})

test('gives the total the error of a jackknife of the difference', () => {
  const before = { requests: [10, 30, 20], monetised: [1, 9, 4] }
  const after = { requests: [20, 10, 30], monetised: [8, 2, 3] }
  const { total } = kitagawa([{ cell: 'all', before, after }], { buckets: 3 })!
  const share = ({ requests, monetised }: typeof before, without: number) =>
    monetised.reduce((sum, y, b) => (b === without ? sum : sum + y), 0) /
    requests.reduce((sum, x, b) => (b === without ? sum : sum + x), 0)
  const replicates = [0, 1, 2].map((b) => share(after, b) - share(before, b))
  const mean = replicates.reduce((sum, value) => sum + value, 0) / 3
  const variance = (2 / 3) * replicates.reduce((sum, value) => sum + (value - mean) ** 2, 0)
  assert.ok(Math.abs(total.standardError! - Math.sqrt(variance)) < 1e-15)
})

test('refuses more buckets than there are', () => {
  const cell = { cell: 'a', before: even(9, 3), after: even(9, 3) }
  assert.throws(() => kitagawa([cell], { buckets: 3 }), /at most 3, got 4 and 4/)
})

test('mix and rate make up the total, and the cells make up both, whatever the sums', () => {
  const sums = fc
    .array(fc.tuple(fc.integer({ min: 0, max: 1000 }), fc.double({ min: 0, max: 1, noNaN: true })), { maxLength: 8 })
    .map((pairs) => ({ requests: pairs.map(([x]) => x), monetised: pairs.map(([x, part]) => Math.floor(x * part)) }))
  const cells: fc.Arbitrary<KitagawaCell[]> = fc.array(fc.record({ cell: fc.string(), before: sums, after: sums }), {
    maxLength: 6,
  })
  fc.assert(
    fc.property(cells, (drawn) => {
      const found = kitagawa(drawn)
      if (found === null) return
      const of = (part: 'mix' | 'rate') => found.cells.reduce((sum, cell) => sum + cell[part], 0)
      assert.ok(Math.abs(found.mix.estimate + found.rate.estimate - found.total.estimate) < 1e-12)
      assert.ok(Math.abs(of('mix') - found.mix.estimate) < 1e-12)
      assert.ok(Math.abs(of('rate') - found.rate.estimate) < 1e-12)
    }),
  )
})

// Coverage at 95 %: rate and total 93 to 97 %, which 2,000 draws show within 0.5 points.
const SEED = 20_264
for (const [households, draws] of [
  [300, 2_000],
  [2_000, 800],
] as const)
  for (const moves of [false, true]) {
    test(`covers rate and total of ${households} households when ${moves ? 'both' : 'neither'} moved`, (t) => {
      const found = kitagawaCoverage({ households, mixMoves: moves, rateMoves: moves }, { draws, seed: SEED })
      t.diagnostic(`seed ${SEED}: ${JSON.stringify(found)} % of ${draws} draws`)
      const error = 100 * Math.sqrt((0.05 * 0.95) / draws)
      for (const part of ['rate', 'total'] as const)
        assert.ok(found[part] >= 93 - error && found[part] <= 97 + error, `${part} ${found[part]} %`)
      assert.ok(found.mix >= 93 - error, `mix ${found.mix} %`)
    })
  }
