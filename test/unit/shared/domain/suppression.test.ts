import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Cell, MIN_HOUSEHOLDS, suppressedCells } from '../../../../services/shared/domain/suppression.ts'

const cell = (parent: string, households: number, taxonomyVersion = 1): Cell => ({
  taxonomyVersion,
  parent,
  households,
})
const oneParent = (...households: number[]) => households.map((h) => cell('echo', h))

const cases: [name: string, cells: Cell[], hidden: number[]][] = [
  ['shows everything when no cell is small', oneParent(11, 11, 500), []],
  ['hides a second cell beside a single small one, the smallest', oneParent(300, 3, 40), [1, 2]],
  ['takes 10 households as small and 11 as enough', oneParent(10, 11, 12), [0, 1]],
  ['hides a third cell when two small ones hold fewer than 11 households', oneParent(500, 4, 6, 30), [1, 2, 3]],
  ['lets two small cells that hold 11 households hide each other', oneParent(500, 5, 6, 30), [1, 2]],
  ['decides between cells of equal size by the order of the result', oneParent(3, 20, 20), [0, 1]],
  ['leaves other parents alone', [...oneParent(3, 20, 50), cell('kindle', 12)], [0, 1]],
  [
    'hides a cell of another parent when the small one is alone in its own',
    [cell('echo', 3), cell('kindle', 50), cell('kindle', 20)],
    [0, 2],
  ],
  [
    'hides a third parent when two lonely small cells are too few together',
    [cell('echo', 3), cell('ring', 4), cell('kindle', 50)],
    [0, 1, 2],
  ],
  ['keeps taxonomy versions apart', [cell('echo', 3, 2), cell('echo', 20), cell('echo', 50)], [0]],
  ['hides the only cell of a result', [cell('', 10)], [0]],
  ['accepts an empty result', [], []],
]

for (const [name, cells, expected] of cases) {
  test(name, () => {
    assert.deepEqual(
      suppressedCells(cells).flatMap((hidden, index) => (hidden ? [index] : [])),
      expected,
    )
  })
}

test('counts a household once when the caller says how', () => {
  const days = [
    { ...cell('', 6), members: [1, 2, 3, 4, 5, 6] },
    { ...cell('', 7), members: [1, 2, 3, 4, 5, 6, 7] },
    { ...cell('', 90), members: [] },
  ]
  assert.deepEqual(suppressedCells(days), [true, true, false])
  const union = (cells: readonly (typeof days)[number][]) => new Set(cells.flatMap(({ members }) => members)).size
  assert.deepEqual(suppressedCells(days, union), [true, true, true])
})

// Few parents and small numbers, so that lonely small cells and ties turn up in most runs.
const results = fc.array(
  fc.record({
    taxonomyVersion: fc.constantFrom(1, 2),
    parent: fc.constantFrom('echo', 'kindle', 'ring', 'fire_tv'),
    households: fc.oneof(fc.integer({ min: 0, max: 15 }), fc.integer({ min: 0, max: 5_000 })),
  }),
  { maxLength: 14 },
)

test('no hidden cell and no small group can be computed by subtracting the shown cells from a total', () => {
  fc.assert(
    fc.property(results, (cells) => {
      const hidden = suppressedCells(cells)
      const withFate = cells.map((c, i) => ({ ...c, hidden: hidden[i]! }))
      for (const total of Map.groupBy(withFate, (c) => c.taxonomyVersion).values()) {
        assertProtected(total)
        for (const parent of Map.groupBy(total, (c) => c.parent).values()) {
          // A parent that gave one of its large cells for another parent's sake has nothing small to find.
          if (parent.some((c) => c.households < MIN_HOUSEHOLDS)) assertProtected(parent)
        }
      }
    }),
    { numRuns: 2_000 },
  )

  /** What the total of these cells leaves over when the shown ones are taken off: the hidden ones together. */
  function assertProtected(group: (Cell & { hidden: boolean })[]) {
    const gone = group.filter((c) => c.hidden)
    const left = gone.reduce((sum, c) => sum + c.households, 0)
    const nothingShown = gone.length === group.length // then the total is as small as its cells, and hidden like them
    assert.ok(gone.length === 0 || nothingShown || (gone.length >= 2 && left >= MIN_HOUSEHOLDS), JSON.stringify(group))
  }
})

test('every cell under 11 households is hidden, and nothing is when none is', () => {
  fc.assert(
    fc.property(results, (cells) => {
      const hidden = suppressedCells(cells)
      for (const [i, c] of cells.entries()) if (c.households < MIN_HOUSEHOLDS) assert.ok(hidden[i])
      if (cells.every((c) => c.households >= MIN_HOUSEHOLDS)) assert.ok(!hidden.includes(true))
    }),
  )
})

test('hides at most one large cell a parent', () => {
  fc.assert(
    fc.property(results, (cells) => {
      const hidden = suppressedCells(cells)
      const large = cells.filter((c, i) => hidden[i] && c.households >= MIN_HOUSEHOLDS)
      for (const group of Map.groupBy(large, (c) => `${c.taxonomyVersion} ${c.parent}`).values())
        assert.equal(group.length, 1)
    }),
  )
})
