/** What is decided when a partition is opened while somebody else works on it. With real servers: the tests of the pipeline. */
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { assistantIntents } from '../../../../services/shared/domain/assistant-intents.ts'
import { defaultFateSettings } from '../../../../services/shared/domain/fate.ts'
import { encodePlan } from '../../../../services/shared/domain/plan.ts'
import { createLogger } from '../../../../services/shared/io/log.ts'
import { findPosition, type PositionDeps } from '../../../../services/shared/pipeline/position.ts'

const topicId = '8c2a1f5e-0000-4000-8000-0123456789ab'
const planAt = (first: number) => ({
  offset: first,
  metadata: encodePlan({
    ...{ topicId, first, last: first + 399, taxonomyVersion: 1, taxonomyHash: '0123456789abcdef' },
    ...{ fates: defaultFateSettings, schemas: {} },
  }),
})

/** Answers of one partition: the plans in the order in which they are asked for, the ledger's end, rows after it. */
function open(plans: readonly (number | undefined)[], { ledgerEnd, rows }: { ledgerEnd: number; rows: number }) {
  const left = [...plans]
  const asked: string[] = []
  const deps = {
    stream: assistantIntents,
    ...{ group: 'g', topic: 't', topicId, fates: defaultFateSettings, leaseEndsMs: () => 0 },
    log: createLogger({ service: 'test', level: 'silent', pretty: false }),
    admin: {
      topicId: () => Promise.resolve(topicId),
      watermarks: () => Promise.resolve([{ partition: 0, low: 0, high: 10_000 }]),
      committed: () => {
        asked.push('plan')
        const first = left.length > 1 ? left.shift() : left[0]
        return Promise.resolve(new Map(first === undefined ? [] : [[0, planAt(first)]]))
      },
    },
    store: {
      ledgerEnd: () => {
        asked.push('ledger')
        return Promise.resolve(ledgerEnd)
      },
      held: () => Promise.resolve({ rows, offsetSum: '0' }),
    },
  } as unknown as PositionDeps
  return { asked, position: findPosition(0, deps) }
}

test('asks for the plan before the ledger, so that no newer plan looks like a gap', async () => {
  const { asked, position } = open([2_800], { ledgerEnd: 2_800, rows: 0 })
  assert.equal((await position).plan?.first, 2_800)
  assert.deepEqual(asked, ['plan', 'ledger'])
})

test('rows of a plan that another process has made meanwhile: comes back later, and does not call for repair', async () => {
  for (const before of [undefined, 2_400]) {
    const { position } = open([before, 2_800], { ledgerEnd: 2_800, rows: 229 })
    await assert.rejects(position, { code: 'membership_lost', retryable: true })
  }
})

test('rows that no plan explains are a disagreement, also beside a plan that is done', async () => {
  for (const plan of [undefined, 2_400]) {
    const { position } = open([plan], { ledgerEnd: 2_800, rows: 229 })
    await assert.rejects(position, { code: 'ledger_disagrees', message: /229 rows after the ledger's end 2800/ })
  }
})
