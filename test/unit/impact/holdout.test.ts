import assert from 'node:assert/strict'
import { test } from 'node:test'

import { beforeOf, judgeArms } from '../../../services/impact/holdout.ts'

const arms = (treatment: number, holdout: number, shares: readonly (readonly number[])[] = [[950_000], [50_000]]) =>
  judgeArms({
    treatment: { households: treatment, shares: shares[0]! },
    holdout: { households: holdout, shares: shares[1]! },
  })

for (const [what, judged, code] of [
  ['as drawn', arms(9_500, 500), undefined],
  ['a few off', arms(9_540, 460), undefined],
  ['too few held out', arms(9_580, 420), 'sample_ratio'],
  ['nobody held out', arms(10_000, 0, [[1_000_000], []]), 'no_holdout'],
  ['everybody held out', arms(0, 10_000, [[], [1_000_000]]), 'no_treatment'],
  ['a lot that was changed', arms(9_500, 500, [[950_000, 900_000], [50_000]]), 'changed_shares'],
  ['a lot that draws nobody into an arm that has some', arms(9_500, 500, [[1_000_000], [0]]), 'changed_shares'],
] as const)
  test(`${what}: ${code ?? 'told'}`, () => assert.equal(judged.refusal?.code, code))

test('the time before is as long as the window and ends before the experiment', () => {
  const begin = '2020-01-01'
  assert.deepEqual(beforeOf(begin, 31, '2016-01-01'), { from: '2019-12-01', to: '2019-12-31', days: 31 })
  assert.deepEqual(beforeOf(begin, 31, '2019-12-01'), { from: '2019-12-01', to: '2019-12-31', days: 31 })
  assert.deepEqual(beforeOf(begin, 31, '2019-12-31'), { from: '2019-12-31', to: '2019-12-31', days: 1 })
  assert.equal(beforeOf(begin, 31, '2020-01-01'), null)
  assert.equal(beforeOf(begin, 31, null), null)
})
