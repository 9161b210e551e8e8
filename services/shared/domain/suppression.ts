/**
 * Which cells of one result must not show their figures, so that no group under 11 households can be read or computed.
 *
 * Hiding a small cell alone is not enough: a reader who also knows the total subtracts the cells that are shown and has
 * it back (complementary disclosure). So a total that contains a hidden cell must contain more that is hidden. In each
 * parent (the cells that one value of the result's first dimension sums up), and then once more over all cells:
 * - every cell under 11 households is hidden;
 * - where the hidden cells are only one, or hold fewer than 11 households together, the smallest of the other cells is
 *   hidden too. One is always enough, because it has 11 households itself.
 *
 * Figures of two taxonomy versions are never added up, so no total spans them and each version stands for itself.
 * A limit: two results with different filters or dimensions can be subtracted from each other.
 *
 * This is the rule of the SQL view `usage_share`, in pure form for its tests.
 *
 * @param cells in the result's own order, which decides between cells of equal size
 * @param householdsTogether how many households several cells hold; by default the sum, which is right when none is in
 *   two cells. A household is in many days and can own two products: the SQL counts the union.
 * @returns for each cell, whether it is hidden
 */
export function suppressedCells<C extends Cell>(
  cells: readonly C[],
  householdsTogether: (cells: readonly C[]) => number = sumOfHouseholds,
): boolean[] {
  const hidden = new Set<C>(cells.filter((cell) => cell.households < MIN_HOUSEHOLDS))
  const byTotal = Map.groupBy(cells, (cell) => cell.taxonomyVersion)
  for (const total of byTotal.values()) {
    for (const parent of Map.groupBy(total, (cell) => cell.parent).values()) protect(parent)
    protect(total)
  }
  return cells.map((cell) => hidden.has(cell))

  function protect(group: readonly C[]): void {
    const gone = group.filter((cell) => hidden.has(cell))
    if (gone.length === 0) return
    if (gone.length >= 2 && householdsTogether(gone) >= MIN_HOUSEHOLDS) return
    const smallestShown = group
      .filter((cell) => !hidden.has(cell))
      .reduce<C | undefined>((least, cell) => (least && least.households <= cell.households ? least : cell), undefined)
    if (smallestShown) hidden.add(smallestShown)
  }
}

export interface Cell {
  taxonomyVersion: number
  /** Value of the first dimension of the result; '' when it has none. */
  parent: string
  households: number
}

/** A group smaller than this is never shown: a usual floor for statistics about people. */
export const MIN_HOUSEHOLDS = 11

function sumOfHouseholds(cells: readonly Cell[]): number {
  return cells.reduce((sum, cell) => sum + cell.households, 0)
}
