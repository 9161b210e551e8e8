const fill = (buckets: number, at: (index: number) => number) =>
  Array.from({ length: buckets }, (_, index) => at(index))

/**
 * Reference vectors of the share interval, from the simulation study that chose the formula: both the TypeScript and the
 * SQL must equal them to 1e-6. Buckets that aren't given are empty; there are 64 in all of them. Bounds before masking.
 */
export const shareVectors = [
  {
    name: 'nothing monetised, equal buckets',
    requests: fill(10, () => 10),
    monetised: fill(10, () => 0),
    share: 0,
    low: 0,
    high: 0.3048919,
  },
  {
    name: 'one bucket holds all that is monetised',
    requests: fill(10, (i) => 10 * (i + 1)),
    monetised: fill(10, (i) => (i === 3 ? 15 : 0)),
    share: 0.02727273,
    low: 0.00094845,
    high: 0.45296471,
  },
  {
    name: 'a large cohort',
    requests: fill(64, () => 100),
    monetised: fill(64, (i) => 20 + ((7 * i) % 21)),
    share: 0.26890625,
    low: 0.25471568,
    high: 0.28358658,
  },
  {
    name: 'a few heavy households',
    requests: fill(64, (i) => Math.floor(1000 / (i + 1)) + 5),
    monetised: fill(64, (i) => (i % 3 === 0 ? Math.floor(300 / (i + 1)) : 1)),
    share: 0.1296664,
    low: 0.0452168,
    high: 0.31912246,
  },
  {
    name: 'everything monetised, three buckets',
    requests: [5, 7, 9],
    monetised: [5, 7, 9],
    share: 1,
    low: 0.13668295,
    high: 1,
  },
]
