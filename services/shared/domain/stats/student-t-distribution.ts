import { logGamma } from './log-gamma.ts'
import { normalCdf, normalQuantile } from './normal.ts'

/**
 * The two-sided p-value of a t statistic: the probability that |T| is at least |t|.
 *
 * I_x(df/2, 1/2) at x = df/(df + t^2), the regularised incomplete beta function (Abramowitz & Stegun 26.7.1 and 26.5.8:
 * a continued fraction, evaluated by Lentz's method as modified by Thompson & Barnett 1986). Relative error below 1e-9.
 *
 * @param t any number; Infinity gives 0
 * @param degreesOfFreedom above 0, may be fractional; above a million the normal distribution stands in (error below 1e-6)
 * @throws RangeError for NaN or degrees of freedom of 0 or less
 */
export function studentTwoSidedP(t: number, degreesOfFreedom: number): number {
  if (!(degreesOfFreedom > 0) || Number.isNaN(t))
    throw new RangeError(`no p-value of t = ${t} at ${degreesOfFreedom} degrees of freedom`)
  if (degreesOfFreedom > NORMAL_FROM) return 2 * normalCdf(-Math.abs(t))
  const t2 = t * t
  if (t2 === Infinity) return 0
  // Both x and 1 - x from their own quotient: one minus the other would lose the digits of a small one.
  const whole = degreesOfFreedom + t2
  return incompleteBeta(degreesOfFreedom / 2, 0.5, degreesOfFreedom / whole, t2 / whole)
}

/**
 * The two-sided critical value: |T| stays below it with probability `confidence`, for any confidence.
 *
 * For alerts, which may ask for 99.9 %. Reports keep `studentT`, whose closed form SQL repeats digit by digit.
 * Newton's steps on the p-value, which is convex in t: from the normal quantile, which lies below the root, they climb
 * to it and can't overshoot.
 *
 * @param degreesOfFreedom above 0, may be fractional or Infinity
 * @param confidence above 0 and below 1
 * @throws RangeError outside of these
 */
export function studentQuantile(degreesOfFreedom: number, confidence: number): number {
  // Of whole degrees a tick asks for the same few a hundred thousand times.
  if (!Number.isInteger(degreesOfFreedom) || degreesOfFreedom > WHOLE_KEPT) {
    return findQuantile(degreesOfFreedom, confidence)
  }
  const ofConfidence = knownQuantiles.get(confidence) ?? []
  knownQuantiles.set(confidence, ofConfidence)
  return (ofConfidence[degreesOfFreedom] ??= findQuantile(degreesOfFreedom, confidence))
}

const WHOLE_KEPT = 200
const knownQuantiles = new Map<number, number[]>()

function findQuantile(degreesOfFreedom: number, confidence: number): number {
  if (!(confidence > 0 && confidence < 1 && degreesOfFreedom > 0))
    throw new RangeError(
      `no critical value of t at ${degreesOfFreedom} degrees of freedom and confidence ${confidence}`,
    )
  const alpha = 1 - confidence
  const z = -normalQuantile(alpha / 2)
  if (degreesOfFreedom > NORMAL_FROM) return z
  let t = cornishFisher(z, degreesOfFreedom)
  const logDensity = logBetaInverse(degreesOfFreedom / 2, 0.5) - Math.log(degreesOfFreedom) / 2
  for (let step = 0; step < NEWTON_STEPS_MAX; step++) {
    const density = Math.exp(logDensity - ((degreesOfFreedom + 1) / 2) * Math.log1p((t * t) / degreesOfFreedom))
    const next = Math.max(z, t + (studentTwoSidedP(t, degreesOfFreedom) - alpha) / (2 * density))
    // The error is about the square of the step.
    if (Math.abs(next - t) <= 1e-8 * next) return next
    t = next
  }
  return t
}

const NORMAL_FROM = 1e6
const NEWTON_STEPS_MAX = 200
/** The fraction takes about the root of the larger parameter; 700 at the limit of a million degrees of freedom. */
const FRACTION_TERMS_MAX = 10_000
const TINY = 1e-300

/** Two terms of the expansion of t around the normal quantile (Abramowitz & Stegun 26.7.5): near enough to start from. */
function cornishFisher(z: number, degreesOfFreedom: number): number {
  const z2 = z * z
  const d = 1 / degreesOfFreedom
  return z + d * z * ((z2 + 1) / 4 + d * (((5 * z2 + 16) * z2 + 3) / 96))
}

/** Regularised incomplete beta function I_x(a, b), with y = 1 - x given apart. */
function incompleteBeta(a: number, b: number, x: number, y: number): number {
  if (x <= 0) return 0
  if (y <= 0) return 1
  const front = Math.exp(a * Math.log(x) + b * Math.log(y) + logBetaInverse(a, b))
  // The fraction converges fast below the mean of the distribution; above it, by the symmetry of the function.
  return x < (a + 1) / (a + b + 2) ? (front * betaFraction(a, b, x)) / a : 1 - (front * betaFraction(b, a, y)) / b
}

function betaFraction(a: number, b: number, x: number): number {
  let c = 1
  let d = 1 / nonZero(1 - ((a + b) * x) / (a + 1))
  let value = d
  for (let m = 1; m <= FRACTION_TERMS_MAX; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    d = 1 / nonZero(1 + even * d)
    c = nonZero(1 + even / c)
    value *= d * c
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / nonZero(1 + odd * d)
    c = nonZero(1 + odd / c)
    value *= d * c
    if (Math.abs(d * c - 1) < 1e-15) break
  }
  return value
}

function nonZero(value: number): number {
  return Math.abs(value) < TINY ? TINY : value
}

function logBetaInverse(a: number, b: number): number {
  return logGamma(a + b) - logGamma(a) - logGamma(b)
}
