import assert from 'node:assert/strict'
import { test } from 'node:test'

import type { Candidate } from '../../../services/redrive/candidates.ts'
import { createRejudge } from '../../../services/redrive/rejudge.ts'
import { assistantIntents } from '../../../services/shared/domain/assistant-intents.ts'
import { defaultFateSettings } from '../../../services/shared/domain/fate.ts'
import { openFileRegistry } from '../../../services/shared/io/schema-registry.ts'
import { loadTaxonomy } from '../../../services/shared/io/taxonomy-file.ts'
import { encoders, makeEvent, sentAtMs } from '../../support/events.ts'

const day = 86_400_000
const rejudge = createRejudge({
  ...{ stream: assistantIntents, fates: defaultFateSettings, taxonomy: loadTaxonomy(1), registry: openFileRegistry() },
})
const candidate = (value: Buffer | null, over: Partial<Candidate> = {}): Candidate => ({
  ...{ topicId: 'id', partition: 0, offset: 1, recordedAtMs: sentAtMs, detail: '', key: null, value },
  ...over,
})
const valid = (number: number, occurredAt = sentAtMs) => encoders[2].encode(makeEvent(number, { occurredAt }))

test('what passes is undefined, also the second of two copies', async () => {
  assert.deepEqual(await rejudge([candidate(valid(1)), candidate(valid(1))], sentAtMs), [undefined, undefined])
})

test('what would be rejected again says why', async () => {
  const unknown = valid(1)
  unknown.writeUInt32BE(404, 1)
  const values = [valid(1).subarray(0, -3), unknown, null, Buffer.alloc(65_537), valid(2)]
  assert.deepEqual(
    await rejudge(
      values.map((value) => candidate(value)),
      sentAtMs,
    ),
    [
      { reason: 'malformed', detail: 'schema 2' },
      { reason: 'unknown_schema', detail: 'id 404 is not registered' },
      { reason: 'not_framed', detail: 'no value' },
      { reason: 'too_large', detail: '65537 bytes' },
      undefined,
    ],
  )
})

test('age is judged at the time of the first record and at that of the copy', async () => {
  const ahead = candidate(valid(1, sentAtMs + 2 * 3_600_000))
  const old = candidate(valid(2, sentAtMs - 399 * day))
  assert.deepEqual(await rejudge([ahead, old], sentAtMs + 1), [
    { reason: 'in_future', detail: 'occurredAt' },
    undefined,
  ])
  assert.deepEqual(await rejudge([ahead, old], sentAtMs + 2 * day), [
    { reason: 'in_future', detail: 'occurredAt' },
    { reason: 'too_old', detail: 'occurredAt' },
  ])
})

test('more writer schemas than one batch may mix are judged all the same', async () => {
  const file = openFileRegistry()
  const many = createRejudge({
    ...{ stream: assistantIntents, fates: defaultFateSettings, taxonomy: loadTaxonomy(1) },
    registry: {
      async schema(id) {
        const found = await file.schema(2)
        return 'fault' in found ? found : { ...found, id }
      },
    },
  })
  const values = Array.from({ length: 40 }, (_, index) => {
    const value = valid(index)
    value.writeUInt32BE(1_000 + index, 1)
    return candidate(value)
  })
  assert.deepEqual(
    await many(values, sentAtMs),
    values.map(() => undefined),
  )
})
