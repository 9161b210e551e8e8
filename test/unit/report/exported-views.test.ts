import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

import { exportedViews, viewCall, viewNames, viewParameters } from '../../../services/report/exported-views.ts'

const migration = readFileSync(join(import.meta.dirname, '../../../infra/clickhouse/migrations/0003_views.sql'), 'utf8')

for (const name of viewNames) {
  test(`${name} is asked for the parameters that its definition has`, () => {
    const [definition] = migration.split(`VIEW IF NOT EXISTS {{views}}.${name} `)[1]!.split('\nCREATE VIEW')
    const wanted = new Set([...definition!.matchAll(/(?<!\{)\{(\w+):\w+\}/g)].map(([, parameter]) => parameter))
    const view = exportedViews[name]
    assert.deepEqual([...(view.hasWindow ? ['from', 'to'] : []), ...view.parameters].sort(), [...wanted].sort())
    assert.deepEqual([...viewCall('v', name).matchAll(/(\w+) = \{\1:(?:String|Date)\}/g)].length, wanted.size)
  })
}

test('what is not given stands for all', () => {
  assert.deepEqual(viewParameters('usage_share', {}), { by: '', product: '', cohort: '', country: '', plans: 'any' })
  assert.deepEqual(viewParameters('top_intents', { value_class: 'free', by: 'product, country,product' }), {
    ...{ by: 'product,country', product: '', country: '', value_class: 'free' },
  })
  assert.deepEqual(viewParameters('freshness', {}), {})
})

test('refuses what a view does not take, and says what it does', () => {
  assert.throws(
    () => viewParameters('purchases', { value_class: 'free' }),
    /purchases has no --value-class; it takes --from, --to, --by, --product, --cohort, --country, --plans/,
  )
  assert.throws(() => viewParameters('freshness', { product: '' }), /freshness has no --product; it takes nothing/)
  assert.throws(() => viewParameters('usage_share', { by: 'household' }), /--by has no dimension household/)
})
