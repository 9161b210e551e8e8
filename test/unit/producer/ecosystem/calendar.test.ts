import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  firstDay,
  firstDayOfMonth,
  firstDayOfQuarter,
  firstDayOfYear,
  lastDay,
  quarterCount,
  salesFromDay,
  yearOfDay,
} from '../../../../services/producer/ecosystem/calendar.ts'

const day = (text: string) => Date.parse(`${text}T00:00:00Z`) / 86_400_000

test('months, quarters and years begin where the calendar says, leap years too', () => {
  assert.deepEqual([firstDay, lastDay, salesFromDay], ['2016-01-01', '2021-12-31', '2017-01-01'].map(day))
  assert.equal(firstDayOfMonth(2), day('2016-03-01'))
  assert.equal(firstDayOfQuarter(5), day('2017-04-01'))
  assert.equal(firstDayOfQuarter(quarterCount), lastDay + 1)
  assert.equal(firstDayOfYear(5), day('2021-01-01'))
})

for (const [text, year] of [
  ['2016-01-01', 0],
  ['2016-12-31', 0],
  ['2017-01-01', 1],
  ['2020-12-31', 4],
  ['2021-12-31', 5],
] as const) {
  test(`${text} lies in year ${year}`, () => assert.equal(yearOfDay(day(text)), year))
}
