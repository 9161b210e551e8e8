import assert from 'node:assert/strict'
import { test } from 'node:test'

import { readReplayName, replayDatabase, replayOf } from '../../../services/replay/names.ts'
import { databaseName, viewsDatabase } from '../../../services/shared/io/settings.ts'

test('a name is a database that the grants by prefix cover, and is found again in it', () => {
  const name = `a${'0'.repeat(30)}`
  assert.equal(databaseName.safeParse(replayDatabase(name)).success, true)
  assert.equal(viewsDatabase(replayDatabase('next_year')), 'intent_ledger_views_replay_next_year')
  assert.equal(replayOf(replayDatabase(name)), name)
  assert.deepEqual(['intent_ledger', 'intent_ledger_views_replay_x'].map(replayOf), [undefined, undefined])
})

for (const name of ['', 'live', 'A', '1a', '_a', 'a-b', 'a b', 'a;', `a${'0'.repeat(31)}`]) {
  test(`refuses "${name}"`, () => {
    assert.throws(() => readReplayName(name), /take a lower case letter, then at most 30/)
  })
}
