import { streams } from '../population.ts'
import { createRandom, type Random } from '../random.ts'

const purposes = { profile: 1, quarter: 2, requests: 3, request: 4, eventId: 5, copies: 6 } as const

/** A random stream of the ecosystem for one purpose. */
export function ecosystemRandom(seed: number, purpose: keyof typeof purposes, ...words: number[]): Random {
  return createRandom(seed, streams.ecosystem, purposes[purpose], ...words)
}

/** Log-normal with mean 1; `sigma` is that of its logarithm. */
export function logNormal(random: Random, sigma: number): number {
  return Math.exp(sigma * random.normal() - (sigma * sigma) / 2)
}

/** Poisson by counting arrivals in one unit of time (Knuth); for means up to some hundreds. */
export function poisson(random: Random, mean: number): number {
  const limit = Math.exp(-mean)
  let count = 0
  for (let product = random.unit(); product > limit; product *= random.unit()) {
    count += 1
  }
  return count
}

/** Micro-units of an amount in dollars, in whole cents, one at least. */
export function cents(dollars: number): number {
  return Math.max(1, Math.round(dollars * 100)) * 10_000
}
