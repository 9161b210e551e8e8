/** The taxonomy as the bench's rivals run it, in ClickHouse: it must decide as ours does, or they are not compared on one job. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { createClickHouse } from '../../../services/shared/io/clickhouse.ts'
import { loadTaxonomy, taxonomyVersions } from '../../../services/shared/io/taxonomy-file.ts'
import {
  classify,
  outcomes,
  valueClasses,
  type Outcome,
  type Taxonomy,
} from '../../../services/shared/domain/taxonomy.ts'
import { ruleNumberSql, verdictSql } from '../../bench/taxonomy-sql.ts'
import { sharedStack } from '../../support/stack.ts'

const planSets = ['', 'music', 'prime', 'music,prime', 'audiobook,security', 'paid_assistant', 'musical', 'xprime']
const purchases = ['', 'order-1']

for (const version of taxonomyVersions()) {
  test(`taxonomy ${version} as SQL decides like the taxonomy itself, for every intent, outcome, plan and purchase`, async (t) => {
    const { clickhouseUrl: url, secrets } = await sharedStack()
    const clickHouse = createClickHouse({ url, user: 'pipeline', password: secrets.pipelinePassword })
    t.after(() => clickHouse.close())
    const { taxonomy } = loadTaxonomy(version)
    const { valueClass, ruleId } = verdictSql(taxonomy, 'rule')
    const rows = await clickHouse.rows<Row>(
      `WITH ${ruleNumberSql(taxonomy)} AS rule
       SELECT toString(intent) AS intent, toString(outcome) AS outcome, toString(plans) AS plans, order_id, ${valueClass} AS value_class, ${ruleId} AS rule_id
       FROM (SELECT toLowCardinality(arrayJoin({intents:Array(String)})) AS intent, toLowCardinality(arrayJoin({outcomes:Array(String)})) AS outcome,
         toLowCardinality(arrayJoin({plans:Array(String)})) AS plans, arrayJoin({purchases:Array(String)}) AS order_id)`,
      { intents: intentsOf(taxonomy), outcomes, plans: planSets, purchases },
    )
    assert.equal(rows.length, intentsOf(taxonomy).length * outcomes.length * planSets.length * purchases.length)
    const wrong = rows.filter((row) => {
      const verdict = classify(taxonomy, {
        intent: row.intent,
        outcome: row.outcome,
        plans: row.plans === '' ? [] : row.plans.split(','),
        hasPurchase: row.order_id !== '',
      })
      return row.value_class !== valueClasses[verdict.valueClass] || row.rule_id !== verdict.ruleId
    })
    assert.deepEqual(wrong.slice(0, 5), [])
  })
}

interface Row {
  readonly intent: string
  readonly outcome: Outcome
  readonly plans: string
  readonly order_id: string
  readonly value_class: number
  readonly rule_id: string
}

/** Each intent a rule names, one more under each of its prefixes, and some that no rule knows. */
function intentsOf({ rules }: Taxonomy): string[] {
  const named = rules
    .flatMap(({ intents }) => intents)
    .filter((pattern) => pattern !== '*')
    .flatMap((pattern) =>
      pattern.endsWith('*') ? [pattern.slice(0, -1), `${pattern.slice(0, -1)}x`] : [pattern, `${pattern}x`],
    )
  return [...new Set([...named, 'unheard_of', ''])]
}
