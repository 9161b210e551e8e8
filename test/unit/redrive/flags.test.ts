import assert from 'node:assert/strict'
import { test } from 'node:test'

import { parseRedriveFlags } from '../../../services/redrive/flags.ts'

test('only the reason must be given', () => {
  assert.deepEqual(parseRedriveFlags({ reason: 'malformed' }), { reason: 'malformed', dryRun: false, format: 'table' })
})

test('all mistakes are said at once, the reasons there are among them', () => {
  assert.throws(() => parseRedriveFlags({ from: '2026-02-30' }), {
    message:
      'redrive: --reason must be not_framed, unknown_schema, malformed, trailing_bytes, field_invalid, in_future, too_old, ' +
      'too_large; --from must be a day as 2026-03-31',
  })
  assert.throws(() => parseRedriveFlags({ reason: 'malformed', from: '2026-03-02', to: '2026-03-01' }), {
    message: 'redrive: --from 2026-03-02 is a day after --to 2026-03-01',
  })
})
