import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { formatMicros, parseMoney } from '../../../../services/shared/domain/money.ts'

for (const [text, micros] of [
  ['8.00 USD', 8_000_000n],
  ['19.99 USD', 19_990_000n],
  ['0.000001 USD', 1n],
  ['0 USD', 0n],
  ['2000000 USD', 2_000_000_000_000n],
] as const) {
  test(`reads ${text}`, () => {
    assert.deepEqual(parseMoney(text), { micros, currency: 'USD' })
  })
}

for (const text of [
  '8.00',
  '8,00 USD',
  '-8 USD',
  '8 usd',
  '8.0000001 USD',
  'USD 8',
  '8 USD ',
  '1e3 USD',
  '.5 USD',
  '',
]) {
  test(`does not read ${JSON.stringify(text)}`, () => {
    assert.equal(parseMoney(text), null)
  })
}

test('writes two decimals, or as many as it needs', () => {
  assert.equal(formatMicros(8_000_000n), '8.00')
  assert.equal(formatMicros(2_100n), '0.0021')
  assert.equal(formatMicros(-1_234_567_500_000n), '-1,234,567.50')
  assert.equal(formatMicros(-1n), '-0.000001')
})

test('reads what it writes, to the micro-unit', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 18n - 1n }), (micros) => {
      assert.equal(parseMoney(`${formatMicros(micros).replaceAll(',', '')} EUR`)?.micros, micros)
    }),
  )
})
