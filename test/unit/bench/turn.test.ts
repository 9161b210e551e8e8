import assert from 'node:assert/strict'
import { test } from 'node:test'

import { turn } from '../../bench/turn.ts'

for (const [names, rounds] of [
  ['abcd', 4],
  ['ab', 2],
  ['abc', 6],
  ['abcde', 10],
] as const) {
  test(`${rounds} rounds of ${names}: each is at each place and behind each other one equally often`, () => {
    const places = new Map<string, number>()
    const behind = new Map<string, number>()
    const count = (of: Map<string, number>, key: string) => of.set(key, (of.get(key) ?? 0) + 1)
    for (let round = 0; round < rounds; round++) {
      const order = turn([...names], round)
      assert.deepEqual(order.toSorted(), [...names])
      order.forEach((name, place) => {
        count(places, `${name} ${place}`)
        if (place > 0) {
          count(behind, `${name} ${order[place - 1]!}`)
        }
      })
    }
    const once = rounds / names.length
    assert.equal(places.size, names.length ** 2)
    assert.deepEqual(new Set(places.values()), new Set([once]))
    assert.equal(behind.size, names.length * (names.length - 1))
    assert.deepEqual(new Set(behind.values()), new Set([once]))
  })
}

test('one alone is asked in each round', () => {
  assert.deepEqual([turn(['a'], 0), turn(['a'], 7)], [['a'], ['a']])
})
