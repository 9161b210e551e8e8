import assert from 'node:assert/strict'
import { test } from 'node:test'

import { daysIn, monthOf, monthText, yearOf } from '../../../../services/impact/pnl/month.ts'

test('months are read and written, and a difference is an age', () => {
  for (const text of ['2016-01', '2017-12', '2021-07']) {
    assert.equal(monthText(monthOf(text)), text)
  }
  assert.equal(monthOf('2018-02') - monthOf('2017-11'), 3)
  assert.equal(monthOf('2017-11-30'), monthOf('2017-11'))
  assert.deepEqual(['2017-12', '2018-01'].map(monthOf).map(yearOf), [2017, 2018])
})

test('months have their days, leap years included', () => {
  assert.deepEqual(['2016-02', '2017-02', '2017-04', '2017-12'].map(monthOf).map(daysIn), [29, 28, 30, 31])
})
