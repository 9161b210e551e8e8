import assert from 'node:assert/strict'

import { MIN_HOUSEHOLDS, type Cell } from '../../services/shared/domain/suppression.ts'

/** A cell of a view's answer with the households behind it. */
export interface CellOfHouseholds extends Cell {
  readonly keys: readonly string[]
  readonly ids: ReadonlySet<number>
}

/** How many households several cells hold: one that is in two of them counts once. */
export function householdsTogether(cells: readonly Pick<CellOfHouseholds, 'ids'>[]): number {
  return cells.reduce((union, { ids }) => union.union(ids), new Set<number>()).size
}

/** Who knows a total and takes away what is shown is left with at least two cells that hold 11 households together. */
export function assertNothingComputable(
  cells: readonly CellOfHouseholds[],
  hidden: readonly boolean[],
  where: string,
): void {
  const totals = [...Map.groupBy(cells, ({ taxonomyVersion }) => taxonomyVersion).values()]
  const parents = totals.flatMap((total) => [...Map.groupBy(total, ({ parent }) => parent).values()])
  for (const group of [...totals, ...parents]) {
    const gone = group.filter((cell) => hidden[cells.indexOf(cell)])
    if (gone.length > 0 && gone.length < group.length) {
      assert.ok(
        gone.length >= 2 && householdsTogether(gone) >= MIN_HOUSEHOLDS,
        `${where}: ${gone.map(({ keys }) => keys).join('; ')}`,
      )
    }
  }
}
