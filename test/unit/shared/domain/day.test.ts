import assert from 'node:assert/strict'
import { test } from 'node:test'

import { isDay } from '../../../../services/shared/domain/day.ts'

test('knows days that exist and that the tables can hold', () => {
  assert.ok(['2026-02-28', '2024-02-29', '1970-01-01', '2149-06-06'].every(isDay))
  assert.ok(
    ['2026-02-29', '2026-13-01', '2026-2-1', '1969-12-31', '2149-06-07', 'yesterday', ''].every((day) => !isDay(day)),
  )
})
