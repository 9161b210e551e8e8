import assert from 'node:assert/strict'
import { test } from 'node:test'

import fc from 'fast-check'

import { diffCells, type CellRows, type Counts } from '../../../services/replay/diff.ts'

/** A cell from requests of (bucket, intent, monetised strictly, broadly, counted). */
interface Request {
  readonly bucket: number
  readonly intent: string
  readonly kind: 'direct' | 'assisted' | 'free' | 'left out'
}

function cellOf(requests: readonly Request[], key: readonly string[] = [], households = 1_000): CellRows {
  const counted = requests.filter(({ kind }) => kind !== 'left out')
  const counts = (group: readonly Request[]): Counts => ({
    requests: group.length,
    strict: group.filter(({ kind }) => kind === 'direct').length,
    broad: group.filter(({ kind }) => kind !== 'free').length,
  })
  return {
    key,
    households,
    buckets: [...Map.groupBy(counted, ({ bucket }) => bucket)].map(([bucket, group]) => ({ bucket, ...counts(group) })),
    intents: [...Map.groupBy(counted, ({ intent }) => intent)].map(([intent, group]) => ({ intent, ...counts(group) })),
  }
}

const kinds = ['direct', 'assisted', 'free', 'left out'] as const
const anyRequests = fc.array(
  fc.record({
    bucket: fc.integer({ min: 0, max: 63 }),
    intent: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    kinds: fc.tuple(fc.constantFrom(...kinds), fc.constantFrom(...kinds)),
  }),
  { minLength: 1, maxLength: 300 },
)

test('what the intents add is the difference, also where requests enter and leave the denominator', () => {
  fc.assert(
    fc.property(anyRequests, (requests) => {
      const side = (index: 0 | 1) => cellOf(requests.map((one) => ({ ...one, kind: one.kinds[index] })))
      const [cell] = diffCells([side(0)], [side(1)])
      for (const name of ['strict', 'broad'] as const) {
        const { difference } = cell![name]!
        if (difference !== null) {
          const sum = cell!.intents.reduce((total, one) => total + one[name], 0)
          assert.ok(Math.abs(sum - difference) < 1e-12, `${name}: ${sum} and ${difference}`)
        }
      }
    }),
  )
})

test('an intent that both sides count alike adds nothing, whatever leaves the denominator', () => {
  const asked = Array.from({ length: 640 }, (_, at) => ({ bucket: at % 64, intent: at % 4 === 0 ? 'buy' : 'weather' }))
  const was = cellOf(asked.map((one) => ({ ...one, kind: one.intent === 'buy' ? 'direct' : 'free' })))
  const is = cellOf(
    asked.map((one, at) => ({ ...one, kind: one.intent === 'buy' ? 'direct' : at % 8 === 1 ? 'left out' : 'free' })),
  )
  const [cell] = diffCells([was], [is])
  assert.deepEqual(
    cell!.intents.map(({ intent }) => intent),
    ['weather'],
  )
  assert.ok(cell!.intents[0]!.strict > 0)
})

test('the same requests under one definition are the same, without an interval', () => {
  const requests: Request[] = Array.from({ length: 200 }, (_, at) => ({
    ...{ bucket: at % 64, intent: 'a', kind: at % 5 === 0 ? 'assisted' : 'free' },
  }))
  const [cell] = diffCells([cellOf(requests)], [cellOf(requests)])
  assert.deepEqual(cell!.broad, { before: 0.2, after: 0.2, difference: 0, low: null, high: null, quality: 'same' })
  assert.deepEqual(cell!.intents, [])
})

test('an interval holds the difference, and only where three households at least are behind it', () => {
  const asked = Array.from({ length: 6_400 }, (_, at) => ({ bucket: at % 64, intent: 'music' }))
  const was = cellOf(asked.map((one) => ({ ...one, kind: 'free' })))
  const often = cellOf(asked.map((one, at) => ({ ...one, kind: (at * 7_919) % 100 < 30 ? 'assisted' : 'free' })))
  const { quality, low, high, difference } = diffCells([was], [often])[0]!.broad!
  assert.equal(quality, 'ok')
  assert.ok(low! < difference! && difference! < high!, `${low} ${difference} ${high}`)
  const onePerson = cellOf(asked.map((one) => ({ ...one, kind: one.bucket === 5 ? 'assisted' : 'free' })))
  assert.deepEqual(
    { ...diffCells([was], [onePerson])[0]!.broad!, difference: undefined },
    { before: 0, after: 1 / 64, difference: undefined, low: null, high: null, quality: 'insufficient' },
  )
})

test('a cell under 11 households shows nothing, nor does the one that would give it away', () => {
  const requests: Request[] = Array.from({ length: 200 }, (_, at) => ({ bucket: at % 64, intent: 'a', kind: 'free' }))
  const cells = [cellOf(requests, ['echo'], 500), cellOf(requests, ['kindle'], 10), cellOf(requests, ['ring'], 40)]
  const found = diffCells(cells, cells)
  assert.deepEqual(
    found.map(({ key, suppressed, households }) => [key[0], suppressed, households]),
    [
      ['echo', false, 500],
      ['kindle', true, null],
      ['ring', true, null],
    ],
  )
  assert.deepEqual(found[1]!.intents, [])
})

test('a cell that only one side has is compared with nothing', () => {
  const requests: Request[] = Array.from({ length: 200 }, (_, at) => ({ bucket: at % 64, intent: 'a', kind: 'free' }))
  const [cell] = diffCells([], [cellOf(requests)])
  assert.deepEqual([cell!.broad!.difference, cell!.broad!.quality, cell!.intents], [null, 'insufficient', []])
})
