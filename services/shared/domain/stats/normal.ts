/**
 * Probability that a standard normal number is at most z.
 *
 * The power series around 0 up to |z| = 3 and Laplace's continued fraction beyond (Abramowitz & Stegun 26.2.11 and
 * 26.2.14), because neither has fitted constants to get wrong. Absolute error below 1e-14; in the lower tail also
 * relative, so that a tiny p-value keeps its digits.
 */
export function normalCdf(z: number): number {
  if (Number.isNaN(z)) return Number.NaN
  if (z > SERIES_MAX) return 1 - lowerTail(-z)
  if (z < -SERIES_MAX) return lowerTail(z)
  let term = z
  let sum = z
  for (let odd = 3; Math.abs(term) > Math.abs(sum) * 1e-17; odd += 2) {
    term *= (z * z) / odd
    sum += term
  }
  return 0.5 + normalDensity(z) * sum
}

/** Density of the standard normal distribution. */
export function normalDensity(z: number): number {
  return Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)
}

/**
 * The z below which a standard normal number lies with probability p: the inverse of `normalCdf`.
 *
 * Starts at Abramowitz & Stegun 26.2.23 (error 4.5e-4) and takes Halley steps on `normalCdf`, which cube the error each:
 * two reach 1e-12. Relative accuracy holds for p down to 1e-300.
 *
 * @param p between 0 and 1; 0 and 1 give minus and plus Infinity
 * @throws RangeError outside of [0, 1]
 */
export function normalQuantile(p: number): number {
  if (!(p >= 0 && p <= 1)) throw new RangeError(`a probability lies between 0 and 1, got ${p}`)
  if (p === 0) return -Infinity
  // From the lower half, where the CDF keeps its relative accuracy.
  if (p > 0.5) return -normalQuantile(1 - p)
  const t = Math.sqrt(-2 * Math.log(p))
  let z = (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308))) - t
  for (let step = 0; step < HALLEY_STEPS; step++) {
    const newton = (normalCdf(z) - p) / normalDensity(z)
    z -= newton / (1 + (z * newton) / 2)
  }
  return z
}

const SERIES_MAX = 3
const HALLEY_STEPS = 3
/** Enough for full precision at |z| = 3, where the fraction converges slowest. */
const FRACTION_TERMS = 120

/** P(Z <= z) for z below -3: density / (|z| + 1/(|z| + 2/(|z| + 3/...))). */
function lowerTail(z: number): number {
  if (z === -Infinity) return 0
  let fraction = -z
  for (let k = FRACTION_TERMS; k > 0; k--) fraction = -z + k / fraction
  return normalDensity(z) / fraction
}
