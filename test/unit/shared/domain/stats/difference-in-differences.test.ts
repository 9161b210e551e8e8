import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  differenceInChanges,
  differenceInMeans,
} from '../../../../../services/shared/domain/stats/difference-in-differences.ts'
import { momentsOfValues, pairMoments } from '../../../../../services/shared/domain/stats/moments.ts'
import {
  cardKruegerFile,
  cpsFile,
  earnings,
  nswFile,
  prop99File,
  readCigarettes,
  readRestaurants,
  readTrainees,
} from '../../../../support/reference-data.ts'
import { sharedDataMissing } from '../../../../support/shared-data.ts'

test('trainees against a survey, on earlier earnings', { skip: sharedDataMissing(nswFile, cpsFile) }, () => {
  const { treated, survey } = readTrainees()
  const found = differenceInChanges(pairMoments(earnings(treated)), pairMoments(earnings(survey)))
  assert.equal(found.estimate.toFixed(3), '3621.232')
})

test('employment under a minimum wage', { skip: sharedDataMissing(cardKruegerFile) }, () => {
  const { newJersey, pennsylvania } = readRestaurants()
  const known = (values: readonly number[]) => momentsOfValues(values.filter((value) => !Number.isNaN(value)))
  const times = (of: typeof newJersey) => ({
    after: known(of.map(({ after }) => after)),
    before: known(of.map(({ before }) => before)),
  })
  assert.equal(differenceInMeans(times(newJersey), times(pennsylvania)).estimate.toFixed(4), '2.7536')
  const balanced = (of: typeof newJersey) =>
    pairMoments(
      of
        .filter(({ before, after }) => !Number.isNaN(before + after))
        .map(({ before, after }) => ({ outcome: after, earlier: before })),
    )
  const changes = differenceInChanges(balanced(newJersey), balanced(pennsylvania))
  assert.equal(changes.estimate.toFixed(4), '2.7500')
  assert.equal(changes.standardError!.toFixed(4), '1.3423')
})

test('cigarettes under a tax', { skip: sharedDataMissing(prop99File) }, () => {
  const rows = readCigarettes()
  const of = (isCalifornia: boolean, isAfter: boolean) =>
    momentsOfValues(
      rows.filter((row) => row.isCalifornia === isCalifornia && row.isAfter === isAfter).map(({ packs }) => packs),
    )
  const times = (isCalifornia: boolean) => ({ after: of(isCalifornia, true), before: of(isCalifornia, false) })
  assert.equal(differenceInMeans(times(true), times(false)).estimate.toFixed(4), '-27.3491')
})

test('sums of a longer time are compared with earlier sums of as long a time', () => {
  const always = (perMonth: number) => ({ outcome: 12 * perMonth, earlier: 3 * perMonth })
  const [first, second] = [pairMoments([always(10), always(14)]), pairMoments([always(1), always(2)])]
  assert.equal(differenceInChanges(first, second, { scale: 4 }).estimate, 0)
  assert.notEqual(differenceInChanges(first, second).estimate, 0)
})
