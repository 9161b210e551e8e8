import assert from 'node:assert/strict'
import { test } from 'node:test'

import { streams } from '../../../../services/shared/domain/streams.ts'
import { readSettings } from '../../../../services/shared/io/settings.ts'
import {
  chosenStream,
  everyStream,
  fateSettingsOf,
  streamVariables,
} from '../../../../services/shared/io/stream-settings.ts'

const settings = (env: Record<string, string> = {}) => readSettings(env, streamVariables)
const place = ({ stream, topic, group }: ReturnType<typeof chosenStream>) => [stream.name, topic, group]

test('takes requests, and the names of the stream for topic and group', () => {
  assert.deepEqual(place(chosenStream(settings())), [
    'assistant-intents',
    'assistant-intents',
    'intent-ledger-classifier',
  ])
  assert.deepEqual(place(chosenStream(settings({ STREAM: 'ecosystem-orders' }))), [
    ...['ecosystem-orders', 'ecosystem-orders', 'intent-ledger-classifier-ecosystem-orders'],
  ])
})

test('KAFKA_TOPIC and KAFKA_GROUP are of the stream that is set, not of one that a flag names', () => {
  const named = settings({ KAFKA_TOPIC: 'requests', KAFKA_GROUP: 'readers' })
  assert.deepEqual(place(chosenStream(named)), ['assistant-intents', 'requests', 'readers'])
  assert.deepEqual(place(chosenStream(named, 'experiment-arms')), [
    ...['experiment-arms', 'experiment-arms', 'intent-ledger-classifier-experiment-arms'],
  ])
})

test('the prefix stands before every name that is left out', () => {
  const prefixed = settings({ KAFKA_TOPIC_PREFIX: 'eu.', KAFKA_TOPIC: 'requests' })
  assert.deepEqual(everyStream(prefixed).map(place), [
    ['assistant-intents', 'requests', 'eu.intent-ledger-classifier'],
    ...streams.slice(1).map(({ name, group }) => [name, `eu.${name}`, `eu.${group}`]),
  ])
})

test('no two streams share a name, a subject, a group or a table', () => {
  for (const key of ['name', 'subject', 'group', 'table'] as const) {
    assert.equal(new Set(streams.map((stream) => stream[key])).size, streams.length, key)
  }
})

test('how old an event may be is the setting, or what its stream says', () => {
  const asked = (env: Record<string, string>, name: string) =>
    fateSettingsOf(
      streams.find((stream) => stream.name === name)!,
      readSettings(env, ['EVENT_BYTES_MAX', 'EVENT_AGE_MAX_DAYS']),
    ).ageMaxMs / 86_400_000
  assert.equal(asked({}, 'assistant-intents'), 400)
  assert.equal(asked({}, 'ecosystem-orders'), 7_305)
  assert.equal(asked({ EVENT_AGE_MAX_DAYS: '3' }, 'ecosystem-orders'), 3)
})
