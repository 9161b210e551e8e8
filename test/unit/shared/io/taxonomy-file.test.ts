import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'

import { loadTaxonomy, loadTaxonomyFile, taxonomyVersions } from '../../../../services/shared/io/taxonomy-file.ts'
import { complaintOf } from '../../../support/fault-of.ts'

const free = { id: 'free', valueClass: 'free', intents: ['weather_*'] }
const rules = (...list: unknown[]) => ({ version: 3, description: 'x', rules: list })

function write(t: TestContext, content: unknown, name = 'v3.json'): { folder: string; file: string } {
  const folder = mkdtempSync(join(tmpdir(), 'intent-ledger-taxonomy-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, name)
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
  return { folder, file }
}

const complaint = (work: () => unknown) => complaintOf('file_invalid', work)

test('ships versions 1 and 2, whose hashes differ', () => {
  assert.deepEqual(taxonomyVersions(), [1, 2])
  const [one, two] = [loadTaxonomy(1), loadTaxonomy(2)]
  assert.equal(one.taxonomy.version, 1)
  assert.match(one.hash, /^[0-9a-f]{16}$/)
  assert.notEqual(one.hash, two.hash)
})

test('names the content, not the way it is written, by its hash', (t) => {
  const plain = loadTaxonomyFile(write(t, rules(free)).file)
  const pretty = loadTaxonomyFile(
    write(t, JSON.stringify({ rules: [free], version: 3, description: 'x' }, undefined, 4)).file,
  )
  const other = loadTaxonomyFile(write(t, rules({ ...free, id: 'other' })).file)
  assert.equal(plain.hash, pretty.hash)
  assert.notEqual(plain.hash, other.hash)
})

const direct = { id: 'buy', valueClass: 'direct', intents: ['shopping_buy'], outcomes: ['fulfilled'] }
for (const [name, content, says] of [
  ['text that is no JSON', '{"version": 3,', /v3\.json can't be read as JSON: /],
  ['no rules', rules(), /^v3\.json: rules: /],
  ['a version that is no number', { ...rules(free), version: '3' }, /^v3\.json: version: /],
  ['version 0', { ...rules(free), version: 0 }, /^v3\.json: version: /],
  ['an unknown key of the file', { ...rules(free), author: 'x' }, /^v3\.json: the file: .*author/],
  ['an unknown key of a rule', rules(free, { ...direct, plan: ['prime'] }), /^v3\.json: rule 2: .*plan/],
  ['an unknown class', rules({ ...free, valueClass: 'cheap' }), /^v3\.json: rule 1, valueClass: /],
  [
    'the class that no rule may give',
    rules({ ...free, valueClass: 'unclassified' }),
    /^v3\.json: rule 1, valueClass: /,
  ],
  [
    'an intent in capitals',
    rules({ ...free, intents: ['weather_query', 'Weather'] }),
    /^v3\.json: rule 1, intents\.1: must be an intent, a prefix ending in \*, or \*/,
  ],
  ['a star in the middle', rules({ ...free, intents: ['weather_*_now'] }), /^v3\.json: rule 1, intents\.0: /],
  ['no intents', rules({ ...free, intents: [] }), /^v3\.json: rule 1, intents: /],
  ['an unknown outcome', rules({ ...free, outcomes: ['lost'] }), /^v3\.json: rule 1, outcomes\.0: /],
  ['an id with a blank', rules({ ...free, id: 'free weather' }), /^v3\.json: rule 1, id: must be lower case/],
  [
    'an id used twice',
    rules(free, { ...free, intents: ['alarm_*'] }),
    /^v3\.json: rule 2 "free": its id is used by an earlier rule$/,
  ],
  [
    'direct without an outcome',
    rules({ ...direct, outcomes: undefined }),
    /^v3\.json: rule 1 "buy": class direct needs outcomes \["fulfilled"\]/,
  ],
  [
    'direct for a second outcome',
    rules({ ...direct, outcomes: ['fulfilled', 'failed'] }),
    /^v3\.json: rule 1 "buy": class direct needs/,
  ],
  [
    'an entitlement without plans',
    rules({ ...free, valueClass: 'entitlement' }),
    /^v3\.json: rule 1 "free": class entitlement must name the plans/,
  ],
  [
    'a rule behind the same',
    rules(free, { ...free, id: 'again' }),
    /^v3\.json: rule 2 "again": can never decide, rule "free" before it matches all it matches$/,
  ],
  [
    'a narrower rule behind a wider',
    rules(free, {
      ...free,
      id: 'narrow',
      intents: ['weather_query'],
      plans: ['prime'],
      outcomes: ['failed'],
      purchase: true,
    }),
    /rule 2 "narrow": can never decide/,
  ],
] as const) {
  test(`refuses ${name}, and names file, rule and reason`, (t) => {
    const { file } = write(t, content)
    assert.match(
      complaint(() => loadTaxonomyFile(file)),
      says,
    )
  })
}

for (const [name, second] of [
  ['another outcome', { ...direct, id: 'b', valueClass: 'assisted', outcomes: ['abandoned'] }],
  ['no outcome, after one with outcomes', { ...direct, id: 'b', valueClass: 'free', outcomes: undefined }],
  ['an intent that the first lacks', { ...direct, id: 'b', intents: ['shopping_buy', 'shopping_reorder'] }],
  ['a wider prefix', { ...direct, id: 'b', intents: ['shopping_*'] }],
] as const) {
  test(`takes a second rule with ${name}`, (t) => {
    assert.equal(loadTaxonomyFile(write(t, rules(direct, second)).file).taxonomy.rules.length, 2)
  })
}

test('takes a rule for fewer plans, or for a purchase, before the one for all', (t) => {
  const list = [
    { ...free, id: 'a', valueClass: 'entitlement', plans: ['prime'] },
    { ...free, id: 'b', purchase: true },
    { ...free, id: 'c', plans: ['music', 'prime'] },
    free,
  ]
  assert.equal(loadTaxonomyFile(write(t, rules(...list)).file).taxonomy.rules.length, 4)
})

test('reports all mistakes of a file together, one a line', (t) => {
  const shape = complaint(() =>
    loadTaxonomyFile(write(t, rules({ ...free, valueClass: 'x' }, { ...free, intents: ['?'] })).file),
  )
  assert.equal(shape.split('\n').length, 2)
  const meaning = complaint(() =>
    loadTaxonomyFile(write(t, rules(free, free, { ...direct, outcomes: ['failed'] })).file),
  )
  assert.equal(meaning.split('\n').length, 3)
})

test('says which versions there are when another is asked for', (t) => {
  const { folder } = write(t, rules(free))
  assert.equal(
    complaint(() => loadTaxonomy(4, folder)),
    'there is no taxonomy version 4; there are 3',
  )
})

test('refuses a file whose name and version disagree', (t) => {
  const { folder } = write(t, rules(free), 'v4.json')
  assert.equal(
    complaint(() => loadTaxonomy(4, folder)),
    'v4.json says version 3; name and version must agree',
  )
})
