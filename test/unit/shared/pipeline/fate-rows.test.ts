import assert from 'node:assert/strict'
import { test } from 'node:test'

import { recordOf } from '../../../../services/shared/domain/log-record.ts'
import { createDuplicateRows, createRejectedRows } from '../../../../services/shared/pipeline/fate-rows.ts'
import { nativeRows } from '../../../support/native-rows.ts'

const message = (value: Buffer | null, key: Buffer | null = null) =>
  recordOf({ offset: 2 ** 40, timestampMs: 5, key, value })

test('writes duplicates as id, place and time', () => {
  const rows = createDuplicateRows()
  const id = Buffer.from('0123456789abcdef')
  rows.append(message(Buffer.concat([Buffer.from('??'), id])), 2, 5)
  assert.deepEqual(nativeRows(rows.parts()), [{ event_id: id, kafka_offset: 2n ** 40n, recorded_at: 5 }])
  assert.deepEqual([rows.rows, rows.bytes], [1, 32])
  rows.clear()
  assert.deepEqual([rows.rows, rows.bytes], [0, 0])
})

test('writes the rejected with reason, detail and bytes, a missing value apart from an empty one', () => {
  const rows = createRejectedRows()
  rows.append(message(Buffer.from('v'), Buffer.alloc(0)), { reason: 'not_framed', detail: '1 bytes' }, 5)
  rows.append(message(null), { reason: 'not_framed', detail: 'no value' }, 6)
  const place = { reason: 'not_framed', kafka_offset: 2n ** 40n }
  assert.deepEqual(nativeRows(rows.parts()), [
    { ...place, detail: '1 bytes', key: '', value: 'v', recorded_at: 5 },
    { ...place, detail: 'no value', key: null, value: null, recorded_at: 6 },
  ])
  rows.clear()
  assert.deepEqual([rows.rows, rows.bytes], [0, 0])
})
