import { kitagawa, type Part } from '../../services/shared/domain/stats/kitagawa.ts'
import { createDailyUsageModel } from '../support/daily-usage-model.ts'
import { broad, emptyBuckets } from '../support/usage-model.ts'

export interface KitagawaScenario {
  /** Of all five cells together. */
  households: number
  /** Whether use moves between the cells, and whether one cell's share drops by 20 %. */
  mixMoves: boolean
  rateMoves: boolean
}

/** Five cohorts, from a small one that buys much to a large one that buys little. */
const cells = [
  { name: 'a', part: 0.35, share: 0.2, usage: 0.8 },
  { name: 'b', part: 0.25, share: 0.25, usage: 0.9 },
  { name: 'c', part: 0.2, share: 0.3, usage: 1 },
  { name: 'd', part: 0.15, share: 0.4, usage: 1.3 },
  { name: 'e', part: 0.05, share: 0.5, usage: 1.6 },
]

/** How often the 95 % intervals hold the true parts, in per cent of the draws. */
export function kitagawaCoverage(
  { households, mixMoves, rateMoves }: KitagawaScenario,
  { draws, seed }: { draws: number; seed: number },
) {
  const model = createDailyUsageModel(seed)
  const plan = cells.map((cell) => ({
    ...cell,
    households: Math.round(households * cell.part),
    usageFactor: mixMoves ? cell.usage : 1,
    shareFactor: rateMoves && cell.name === 'c' ? 0.8 : 1,
  }))
  const truth = truthOf(plan)
  const sums = plan.map(({ name }) => ({ cell: name, before: emptyBuckets(), after: emptyBuckets() }))
  const hits = { rate: 0, mix: 0, total: 0 }
  for (let draw = 0; draw < draws; draw++) {
    plan.forEach((cell, index) => {
      const cohort = model.createCohort({ households: cell.households, share: broad(cell.share) })
      model.drawDay(cohort, sums[index]!.before)
      model.drawDay(cohort, sums[index]!.after, cell)
    })
    const found = kitagawa(sums)!
    for (const part of ['rate', 'mix', 'total'] as const) if (holds(found[part], truth[part])) hits[part]++
  }
  const percent = (count: number) => (100 * count) / draws
  return { rate: percent(hits.rate), mix: percent(hits.mix), total: percent(hits.total) }
}

function truthOf(plan: readonly { households: number; share: number; usageFactor: number; shareFactor: number }[]) {
  const before = plan.reduce((sum, cell) => sum + cell.households, 0)
  const after = plan.reduce((sum, cell) => sum + cell.households * cell.usageFactor, 0)
  let rate = 0
  let mix = 0
  for (const cell of plan) {
    const [w0, w1] = [cell.households / before, (cell.households * cell.usageFactor) / after]
    const [r0, r1] = [cell.share, cell.share * cell.shareFactor]
    rate += ((r1 - r0) * (w0 + w1)) / 2
    mix += ((w1 - w0) * (r0 + r1)) / 2
  }
  return { rate, mix, total: rate + mix }
}

function holds({ low, high }: Part, truth: number): boolean {
  return low !== null && high !== null && low <= truth && truth <= high
}
