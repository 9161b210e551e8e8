import assert from 'node:assert/strict'
import { test } from 'node:test'

import {
  checkChanges,
  describeChanges,
  plantedFactors,
  plantedMix,
  type HistoryChange,
} from '../../../services/local/history-changes.ts'

const march = { from: '2026-03-02', to: '2026-03-08' }
const at = { day: '2026-03-04', country: 'DE', product: 'echo' }
const none = { volume: 1, broad: 1, strict: 1 }

test('holds from its first to its last day, in its country and on its product', () => {
  const drop: HistoryChange = { kind: 'broad_share', ...march, country: 'DE', product: 'echo', factor: 0.8 }
  const cases: [Partial<typeof at>, number][] = [
    [{ day: '2026-03-01' }, 1],
    [{ day: '2026-03-02' }, 0.8],
    [{ day: '2026-03-08' }, 0.8],
    [{ day: '2026-03-09' }, 1],
    [{ country: 'US' }, 1],
    [{ product: 'ring' }, 1],
  ]
  for (const [other, broad] of cases) {
    assert.deepEqual(plantedFactors([drop], { ...at, ...other }), { ...none, broad }, JSON.stringify(other))
  }
  assert.deepEqual(plantedFactors([{ kind: 'broad_share', ...march, factor: 0.5 }], at), { ...none, broad: 0.5 })
})

test('multiplies what overlaps, and compounds a drift from its first day on', () => {
  const changes: HistoryChange[] = [
    { kind: 'broad_share', ...march, factor: 0.5 },
    { kind: 'drift', ...march, perDay: -0.1 },
    { kind: 'strict_share', ...march, factor: 2 },
    { kind: 'volume', ...march, factor: 3 },
    { kind: 'volume', ...march, country: 'DE', factor: 0.5 },
  ]
  const factors = plantedFactors(changes, at)
  assert.ok(Math.abs(factors.broad - 0.5 * 0.9 ** 3) < 1e-12)
  assert.deepEqual({ ...factors, broad: 1 }, { volume: 1.5, broad: 1, strict: 2 })
  assert.equal(plantedFactors([...changes, { kind: 'missing', day: at.day }], at).volume, 0)
})

test('moves parts of requests one mix after the other, and loses none', () => {
  const echoToTv: HistoryChange = { kind: 'mix', ...march, fromProduct: 'echo', toProduct: 'fire_tv', moved: 0.4 }
  const tvToRing: HistoryChange = { kind: 'mix', ...march, fromProduct: 'fire_tv', toProduct: 'ring', moved: 0.5 }
  assert.deepEqual(Object.fromEntries(plantedMix([echoToTv], at)), { echo: 0.6, fire_tv: 0.4 })
  assert.deepEqual(Object.fromEntries(plantedMix([echoToTv, tvToRing], at)), { echo: 0.6, fire_tv: 0.2, ring: 0.2 })
  assert.deepEqual(Object.fromEntries(plantedMix([echoToTv], { ...at, product: 'ring' })), { ring: 1 })
  assert.deepEqual(Object.fromEntries(plantedMix([{ ...echoToTv, country: 'US' }], at)), { echo: 1 })
})

test('says what was planted, in the order of days', () => {
  const changes: HistoryChange[] = [
    { kind: 'missing', day: '2026-04-01' },
    { kind: 'broad_share', ...march, country: 'DE', factor: 0.8 },
    { kind: 'mix', from: '2026-03-01', to: '2026-03-31', fromProduct: 'echo', toProduct: 'fire_tv', moved: 0.4 },
    { kind: 'drift', from: '2026-05-01', to: '2026-05-30', country: 'US', product: 'kindle', perDay: -0.004 },
    { kind: 'volume', from: '2026-06-01', to: '2026-06-01', factor: 1.5 },
    { kind: 'strict_share', from: '2026-06-02', to: '2026-06-03', product: 'ring', factor: 0.7 },
  ]
  assert.deepEqual(describeChanges(changes), [
    '2026-03-01 to 2026-03-31: 40 % of requests on echo move to fire_tv everywhere',
    '2026-03-02 to 2026-03-08: broad share -20 % in DE',
    '2026-04-01: no data everywhere',
    '2026-05-01 to 2026-05-30: broad share -0.4 % a day, -11.3 % at the end, on kindle in US',
    '2026-06-01: requests +50 % everywhere',
    '2026-06-02 to 2026-06-03: strict share -30 % on ring everywhere',
  ])
})

test('refuses a change that could never be found', () => {
  const known = { countries: ['DE', 'US'], products: ['echo', 'ring'] }
  const refused: [HistoryChange, RegExp][] = [
    [{ kind: 'broad_share', ...march, country: 'FR', factor: 0.8 }, /no household lives in FR; there are DE, US/],
    [{ kind: 'mix', ...march, fromProduct: 'echo', toProduct: 'tv', moved: 0.4 }, /no household has tv/],
    [{ kind: 'mix', ...march, fromProduct: 'echo', toProduct: 'ring', moved: 1.4 }, /between 0 and 1/],
    [{ kind: 'volume', from: '2026-03-02', to: '2026-03-01', factor: 2 }, /no span of days/],
    [{ kind: 'missing', day: '2026-02-30' }, /no span of days/],
    [{ kind: 'missing', day: 'yesterday' }, /no span of days/],
    [{ kind: 'volume', ...march, factor: -1 }, /0 or more/],
    [{ kind: 'drift', ...march, perDay: -1.5 }, /0 or more/],
  ]
  for (const [change, message] of refused) {
    assert.throws(() => checkChanges([change], known), message)
  }
  checkChanges([{ kind: 'missing', day: '2026-03-01', country: 'DE', product: 'ring' }], known)
})
