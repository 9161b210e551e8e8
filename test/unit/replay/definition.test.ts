import assert from 'node:assert/strict'
import { test } from 'node:test'

import { assertSameReplay, type Definition } from '../../../services/replay/definition.ts'
import { defaultFateSettings } from '../../../services/shared/domain/fate.ts'

const definition: Definition = {
  ...{ replay: 'x', source: 'kafka', topic: 't', topicId: 'id', group: 'g-replay-x', codeVersion: '1+a' },
  ...{ asked: { from: '0:1', to: '' }, taxonomy: { version: 1, hash: 'h' }, fates: { ...defaultFateSettings } },
  ...{ ranges: [{ partition: 0, first: 1, end: 9 }], startedAt: '2026-03-01T00:00:00.000Z' },
}

test('is the same replay whatever the log has grown to since', () => {
  assertSameReplay(definition, { ...definition, ...{ ranges: [], startedAt: 'later' } })
})

for (const [what, over, expected] of [
  [
    'another range',
    { asked: { from: '', to: '0:5' } },
    /started with --from 0:1, --to left out; this command has --from left out, --to 0:5:/,
  ],
  [
    'another taxonomy',
    { taxonomy: { version: 2, hash: 'i' } },
    /with taxonomy 1 \(hash h\); this command has taxonomy 2 \(hash i\)/,
  ],
  ['an edited taxonomy', { taxonomy: { version: 1, hash: 'i' } }, /hash h.*hash i/],
  [
    'another window',
    { fates: { ...defaultFateSettings, duplicateWindowOffsets: 7 } },
    /DUPLICATE_WINDOW_OFFSETS 200000; .* 7/,
  ],
  ['a topic made anew', { topicId: 'other' }, /topic id id; this command has topic id other/],
  ['other code', { codeVersion: '1+b' }, /code version 1\+a; this command has code version 1\+b/],
] as const) {
  test(`refuses ${what} under the name, and says what differs and what to do`, () => {
    assert.throws(() => assertSameReplay(definition, { ...definition, ...over }), { message: expected })
    assert.throws(() => assertSameReplay(definition, { ...definition, ...over }), /replay drop x/)
  })
}
