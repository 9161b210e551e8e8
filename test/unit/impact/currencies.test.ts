import assert from 'node:assert/strict'
import { test } from 'node:test'

import { chooseCurrency } from '../../../services/impact/currencies.ts'

const of = (currency: string) => ({ currency, lines: 1, marginMicros: 1n })

test('takes the currency that is asked for, or the only one', () => {
  assert.equal(chooseCurrency('EUR', [of('USD'), of('EUR')]), 'EUR')
  assert.equal(chooseCurrency(undefined, [of('USD')]), 'USD')
})

test('of several none is guessed', () => {
  assert.throws(() => chooseCurrency(undefined, [of('USD'), of('QQQ')]), /name one with --currency: USD, QQQ$/)
  assert.throws(() => chooseCurrency(undefined, []), /no orders on these days/)
})
