import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'

import { diffCells, type CellRows, type Counts } from '../../services/replay/diff.ts'
import { HOUSEHOLD_BUCKETS } from '../../services/shared/domain/share-interval.ts'
import {
  broad,
  createNormal,
  createShareSampler,
  poisson,
  RATE_MEDIAN,
  RATE_SIGMA,
  trueShare,
  uniform32,
  type ShareModel,
} from '../support/usage-model.ts'

/** What another definition does with some requests; `either` way: some become monetised, as many others stop to be. */
export interface DiffScenario {
  households: number
  /** How the requests in question are spread over households, as a part of each one's. */
  moved: ShareModel
  become: 'monetised' | 'no request' | 'either'
}

const share = broad(0.3)
const kinds = ['first', 'second', 'monetised', 'free'] as const
type Kind = (typeof kinds)[number]
type Sums = Record<Kind, Float64Array>

/** What each kind counts as before and after; null is no request. */
const counted: Record<DiffScenario['become'], Record<'before' | 'after', Record<Kind, 0 | 1 | null>>> = {
  monetised: {
    before: { first: 0, second: 0, monetised: 1, free: 0 },
    after: { first: 1, second: 0, monetised: 1, free: 0 },
  },
  'no request': {
    before: { first: 0, second: 0, monetised: 1, free: 0 },
    after: { first: null, second: 0, monetised: 1, free: 0 },
  },
  either: {
    before: { first: 0, second: 1, monetised: 1, free: 0 },
    after: { first: 1, second: 0, monetised: 1, free: 0 },
  },
}

/**
 * How often the 95 % interval of `replay diff` holds the true difference, in per cent of the draws that have one, and the draws
 * that have none in per cent of all. The truth is that of the model: households are a sample.
 */
export function diffCoverage(
  { households, moved, become }: DiffScenario,
  { draws, seed }: { draws: number; seed: number },
) {
  const random = xoroshiro128plus(seed)
  const uniform = () => uniform32(random)
  const normal = createNormal(uniform)
  const drawShare = createShareSampler(share, uniform, normal)
  const drawMoved = createShareSampler(moved, uniform, normal)
  const [r, m] = [trueShare(share), trueShare(moved)]
  const truth = trueDifference({ first: m, second: (1 - m) * m, monetised: (1 - m) ** 2 * r }, counted[become])
  const sums = Object.fromEntries(kinds.map((kind) => [kind, new Float64Array(HOUSEHOLD_BUCKETS)])) as Sums
  let held = 0
  let without = 0
  for (let draw = 0; draw < draws; draw++) {
    for (const kind of kinds) sums[kind].fill(0)
    for (let household = 0; household < households; household++) {
      const bucket = random.next() & (HOUSEHOLD_BUCKETS - 1)
      let left = RATE_MEDIAN * Math.exp(RATE_SIGMA * normal())
      for (const [kind, part] of [
        ['first', drawMoved()],
        ['second', drawMoved()],
        ['monetised', drawShare()],
        ['free', 1],
      ] as const) {
        sums[kind][bucket]! += left * part
        left *= 1 - part
      }
    }
    for (const kind of kinds) sums[kind].forEach((mean, bucket) => (sums[kind][bucket] = poisson(random, mean)))
    const side = (when: 'before' | 'after') => cellOf(households, sums, counted[become][when])
    const { low, high } = diffCells([side('before')], [side('after')])[0]!.broad!
    without += low === null ? 1 : 0
    held += low !== null && low <= truth && truth <= high! ? 1 : 0
  }
  return { coverage: (100 * held) / Math.max(1, draws - without), without: (100 * without) / draws }
}

function trueDifference(
  of: { first: number; second: number; monetised: number },
  { before, after }: (typeof counted)['either'],
): number {
  const parts = { ...of, free: 1 - of.first - of.second - of.monetised }
  const shareOf = (counts: Record<Kind, 0 | 1 | null>) => {
    const requests = kinds.reduce((sum, kind) => sum + (counts[kind] === null ? 0 : parts[kind]), 0)
    return kinds.reduce((sum, kind) => sum + (counts[kind] ?? 0) * parts[kind], 0) / requests
  }
  return shareOf(after) - shareOf(before)
}

function cellOf(households: number, sums: Sums, counts: Record<Kind, 0 | 1 | null>): CellRows {
  const countsOf = (kind: Kind, count: number): Counts => ({
    ...{ requests: counts[kind] === null ? 0 : count, strict: 0, broad: (counts[kind] ?? 0) * count },
  })
  const buckets = Array.from({ length: HOUSEHOLD_BUCKETS }, (_, bucket) => ({
    bucket,
    ...addUp(kinds.map((kind) => countsOf(kind, sums[kind][bucket]!))),
  }))
  const intents = kinds.map((kind) => ({
    intent: kind,
    ...countsOf(
      kind,
      sums[kind].reduce((sum, count) => sum + count, 0),
    ),
  }))
  return { key: [], households, buckets, intents }
}

function addUp(all: readonly Counts[]): Counts {
  return all.reduce((sum, { requests, strict, broad: monetised }) => ({
    ...{ requests: sum.requests + requests, strict: sum.strict + strict, broad: sum.broad + monetised },
  }))
}
