import assert from 'node:assert/strict'
import { test } from 'node:test'

import { createFieldChecks } from '../../../../services/shared/domain/field-checks.ts'
import type { StreamField } from '../../../../services/shared/domain/stream.ts'

const required = { required: true } as const
const fields: StreamField[] = [
  { path: 'arm', kinds: ['string'], ...required, oneOf: ['treatment', 'holdout'] },
  { path: 'amount', kinds: ['long'], ...required, bounds: { min: -2, max: 3 } },
  { path: 'name', kinds: ['string'], ...required, text: { min: 1, max: 3, alphabet: 'identifier' } },
  { path: 'free', kinds: ['string'], required: false },
]
const check = createFieldChecks(fields)

/** Index of the first field that is out of bounds; undefined stands for an absent field. */
function outside(arm: string | undefined, amount: number | undefined, name: string | undefined): number {
  const at = new Int32Array(fields.length * 2).fill(-1)
  const zigzag = amount === undefined ? [] : [amount >= 0 ? amount * 2 : -amount * 2 - 1]
  const parts = [arm, zigzag, name].map((part) => (typeof part === 'string' ? [...Buffer.from(part)] : part))
  const body: number[] = []
  parts.forEach((part, index) => {
    if (part !== undefined && part.length + body.length > body.length) {
      at[index * 2] = body.length
      body.push(...part)
      at[index * 2 + 1] = body.length
    } else if (typeof [arm, amount, name][index] === 'string') {
      at[index * 2] = at[index * 2 + 1] = body.length
    }
  })
  return check(Uint8Array.from(body), at)
}

test('passes what is within all bounds, and what is absent', () => {
  assert.equal(outside('holdout', 3, 'a_1'), -1)
  assert.equal(outside('treatment', -2, 'z'), -1)
  assert.equal(outside(undefined, undefined, undefined), -1)
})

test('names the field that is out of bounds', () => {
  for (const arm of ['control', 'Holdout', 'holdout ', '', 'treatmen']) {
    assert.equal(outside(arm, 0, 'a'), 0, arm)
  }
  for (const amount of [-3, 4]) {
    assert.equal(outside('holdout', amount, 'a'), 1, String(amount))
  }
  for (const name of ['', 'abcd', 'A', 'ä']) {
    assert.equal(outside('holdout', 0, name), 2, name)
  }
})

test('asks for texts in their order, then for numbers', () => {
  assert.equal(outside('control', 9, 'A'), 0)
  assert.equal(outside('holdout', 9, 'A'), 2)
  assert.equal(outside('holdout', 9, 'a'), 1)
})
