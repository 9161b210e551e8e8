import assert from 'node:assert/strict'
import { test } from 'node:test'

import { crossProducts, leastSquares } from '../../../services/impact/least-squares.ts'
import { cpsFile, nswFile, readTrainees } from '../../support/reference-data.ts'
import { sharedDataMissing } from '../../support/shared-data.ts'

const known = ['age', 'educ', 'black', 'hisp', 'marr', 'nodegree', 're74', 're75']

test('the training programme, regression-adjusted', { skip: sharedDataMissing(nswFile, cpsFile) }, () => {
  const { treated, control, survey } = readTrainees()
  const effect = (others: typeof control) =>
    leastSquares(
      crossProducts(
        [...treated.map((row) => ({ row, treat: 1 })), ...others.map((row) => ({ row, treat: 0 }))].map(
          ({ row, treat }) => ({
            regressors: [1, treat, ...known.map((name) => Number(row[name]))],
            outcome: Number(row['re78']),
          }),
        ),
      ),
    )![1]!
  assert.equal(effect(control).toFixed(2), '1676.34')
  assert.equal(effect(survey).toFixed(3), '699.132')
})

test('finds a plane exactly, of regressors of any size', () => {
  const units = [1, 2, 3, 4, 5].flatMap((a) =>
    [1e12, 3e12, 4e12].map((b) => ({ regressors: [1, a, b], outcome: 7 - 2 * a + 3e-6 * b })),
  )
  const [constant, first, second] = leastSquares(crossProducts(units))!
  assert.ok(Math.abs(first! + 2) < 1e-6, String(first))
  assert.ok(Math.abs(second! - 3e-6) < 1e-15, String(second))
  assert.ok(Math.abs(constant! - 7) < 1e-4, String(constant))
})

test('collinear regressors, one that is always 0, and none have no coefficients', () => {
  const of = (regressors: (at: number) => number[]) =>
    leastSquares(crossProducts([1, 2, 3].map((at) => ({ regressors: regressors(at), outcome: at }))))
  assert.equal(
    of((at) => [1, at, 2 * at + 3]),
    null,
  )
  assert.equal(
    of((at) => [1, at, 0]),
    null,
  )
  assert.equal(leastSquares(crossProducts([])), null)
})
