import assert from 'node:assert/strict'
import { test } from 'node:test'

import { toOffset } from '../../../../services/shared/io/kafka-consumer.ts'

for (const [text, offset] of [
  ['0', 0],
  ['-1', -1],
  ['9007199254740991', Number.MAX_SAFE_INTEGER],
] as const) {
  test(`reads offset ${text}`, () => {
    assert.equal(toOffset(text), offset)
  })
}

for (const text of ['9007199254740992', '9223372036854775807', 'latest', '1.5', 'NaN']) {
  test(`refuses ${text} as an offset, which a number would not hold exactly`, () => {
    assert.throws(() => toOffset(text), new RegExp(`offset ${text} is beyond 2\\^53`))
  })
}
