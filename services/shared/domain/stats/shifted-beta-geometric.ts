/**
 * The shifted-beta-geometric model of customers with a contract (Fader & Hardie 2007, "How to project customer retention",
 * Journal of Interactive Marketing 21(1), 76-90). Each customer leaves at each renewal with a chance theta of their own, and
 * theta varies between customers as Beta(alpha, beta): those who leave easily are gone first, so retention rises with age.
 *
 *     r_t = (beta + t - 1) / (alpha + beta + t - 1),    S(t) = r_1 ... r_t
 *
 * Here it is kept by `churn`, mu = alpha / (alpha + beta), the part that leaves at the first renewal, and `spread`,
 * phi = 1 / (alpha + beta):
 *
 *     1 - r_t = mu / (1 + (t - 1) phi)
 *
 * because a cohort that leaves at a constant rate has alpha and beta without end, but phi = 0.
 */
export interface ShiftedBetaGeometric {
  /** mu, 0 to 1. */
  readonly churn: number
  /** phi, from 0 (everybody alike: a constant rate) to a million (some leave at once, the others never). */
  readonly spread: number
}

/**
 * What an observed cohort shows. Only a heterogeneous one has an alpha and a beta: a constant rate is their limit at infinity, customers
 * who leave at once or never the one at 0, and where nobody left, or all at the first renewal, there is nothing to fit.
 */
export type Shape = 'heterogeneous' | 'constant' | 'at_once_or_never' | 'nobody_left' | 'all_left_at_once'

export interface RetentionFit extends ShiftedBetaGeometric {
  readonly shape: Shape
  /** Parameters of the beta distribution; null where the shape has no finite ones. */
  readonly alpha: number | null
  readonly beta: number | null
}

/**
 * Maximum likelihood. For a given phi the likelihood has one greatest mu, and of its profile the sign of the slope is followed
 * in log phi; both by a bracketed root, so that no start has to be chosen and no step can leave the domain. A log-likelihood
 * that falls from phi = 0 on says that retention does not rise: then the rate is constant, phi = 0.
 *
 * @param alive customers by month, month 0 first, counts or per cent, never rising; at least months 0 to 2
 * @throws RangeError for anything else
 */
export function fitRetention(alive: readonly number[]): RetentionFit {
  const renewals = renewalsOf(alive)
  const lost = renewals.reduce((sum, { left }) => sum + left, 0)
  if (lost === 0) return { churn: 0, spread: 0, shape: 'nobody_left', alpha: null, beta: null }
  if (renewals[0]!.stayed === 0) return { churn: 1, spread: 0, shape: 'all_left_at_once', alpha: null, beta: null }
  const spread = rootOfSlope(renewals, lost)
  const churn = churnAt(spread, renewals, lost)
  return spread === 0 || spread === spreadMax
    ? { churn, spread, shape: spread === 0 ? 'constant' : 'at_once_or_never', alpha: null, beta: null }
    : { churn, spread, shape: 'heterogeneous', alpha: churn / spread, beta: (1 - churn) / spread }
}

/** The log-likelihood of a cohort, up to a constant; for counts. */
export function logLikelihood(alive: readonly number[], { churn, spread }: ShiftedBetaGeometric): number {
  const times = (count: number, chance: number) => (count === 0 ? 0 : count * Math.log(chance))
  return renewalsOf(alive).reduce((sum, { stayed, left }, age) => {
    const leaves = churn / (1 + age * spread)
    return sum + times(left, leaves) + times(stayed, 1 - leaves)
  }, 0)
}

/** S(0) to S(months): the part of customers that is still there. Falls, from 1. */
export function survival({ churn, spread }: ShiftedBetaGeometric, months: number): Float64Array {
  const parts = new Float64Array(months + 1)
  parts[0] = 1
  for (let t = 1; t <= months; t++) parts[t] = parts[t - 1]! * (1 - churn / (1 + (t - 1) * spread))
  return parts
}

/**
 * Months that a new customer is expected to pay for, discounted to the first (Fader & Hardie 2010, "Customer-base valuation in a
 * contractual setting: the perils of ignoring heterogeneity", Marketing Science 29(1), 85-93):
 *
 *     sum over t from 0 of S(t) (1+d)^-t  =  2F1(1, beta; alpha + beta; 1/(1+d))
 *
 * @param monthlyDiscount d, above 0
 * @throws RangeError for a discount of 0 or less, where the sum may have no end
 */
export function discountedLifetime(fit: ShiftedBetaGeometric, monthlyDiscount: number): number {
  return lifetimeFrom(fit, 0, monthlyDiscount)
}

/**
 * Discounted expected residual lifetime (the same paper): months still to be paid by a customer of `months` months, seen just
 * before the renewal that decides about the next one.
 *
 *     sum over t from n of S(t) / S(n-1) (1+d)^-(t-n)  =  r_n 2F1(1, beta + n; alpha + beta + n; 1/(1+d)),   n = months
 *
 * @param months paid so far, at least 1
 * @param monthlyDiscount d, above 0
 * @throws RangeError for a discount of 0 or less
 */
export function discountedResidualLifetime(fit: ShiftedBetaGeometric, months: number, monthlyDiscount: number): number {
  return (1 - churnOf(fit, months)) * lifetimeFrom(fit, months, monthlyDiscount)
}

/** Far beyond what any cohort can tell from a part that leaves at once and a rest that never does. */
const spreadMax = 1e6
/** Below, a constant rate can't be told apart. */
const spreadMin = 1e-6
const monthsMin = 2
const halvingsMax = 60
const newtonStepsMax = 50

/** What became of the customers who came to a renewal. */
interface Renewal {
  readonly stayed: number
  readonly left: number
}

function renewalsOf(alive: readonly number[]): Renewal[] {
  if (alive.length <= monthsMin || !(alive[0]! > 0) || !(alive.at(-1)! >= 0))
    throw new RangeError(`a cohort has customers alive in months 0 to ${monthsMin} at least, got ${alive.join(', ')}`)
  return alive.slice(1).map((stayed, age) => {
    if (!(stayed <= alive[age]!))
      throw new RangeError(`customers of a cohort never become more, got ${stayed} after ${alive[age]}`)
    return { stayed, left: alive[age]! - stayed }
  })
}

/** 1 - r_t: of those who come to renewal t (from 1), the part that leaves. */
function churnOf({ churn, spread }: ShiftedBetaGeometric, renewal: number): number {
  return churn / (1 + (renewal - 1) * spread)
}

/** phi where the slope of the profile of the log-likelihood is 0; 0 where it falls from the start. */
function rootOfSlope(renewals: readonly Renewal[], lost: number): number {
  const rises = (spread: number) => slope(renewals, spread, churnAt(spread, renewals, lost)) > 0
  if (!rises(0)) return 0
  if (rises(spreadMax)) return spreadMax
  let low = Math.log(spreadMin)
  let high = Math.log(spreadMax)
  if (!rises(spreadMin)) return 0
  for (let halving = 0; halving < halvingsMax && high - low > 1e-12; halving++) {
    const middle = (low + high) / 2
    if (rises(Math.exp(middle))) low = middle
    else high = middle
  }
  return Math.exp((low + high) / 2)
}

/** The derivative of the log-likelihood by phi; at the best mu it is that of the profile (envelope theorem). */
function slope(renewals: readonly Renewal[], spread: number, churn: number): number {
  let sum = 0
  for (let age = 1; age < renewals.length; age++) {
    const { stayed, left } = renewals[age]!
    if (stayed > 0) sum += (stayed * age) / (1 - churn + age * spread)
    sum -= ((stayed + left) * age) / (1 + age * spread)
  }
  return sum
}

/**
 * The best mu for a phi: the root x = 1 - mu of sum of stayed_t / (x + (t-1) phi) = lost / (1 - x). The left side falls and the right
 * one rises, so there is one; Newton's steps, halved into the bracket where they leave it.
 */
function churnAt(spread: number, renewals: readonly Renewal[], lost: number): number {
  let low = 0
  let high = 1
  let x = 1 - lost / (lost + renewals.reduce((sum, { stayed }) => sum + stayed, 0))
  for (let step = 0; step < newtonStepsMax; step++) {
    let value = -lost / (1 - x)
    let derivative = value / (1 - x)
    for (let age = 0; age < renewals.length; age++) {
      const { stayed } = renewals[age]!
      if (stayed === 0) continue
      const part = stayed / (x + age * spread)
      value += part
      derivative -= part / (x + age * spread)
    }
    if (value > 0) low = x
    else high = x
    const newton = x - value / derivative
    const next = newton > low && newton < high ? newton : (low + high) / 2
    if (Math.abs(next - x) <= 1e-15) return 1 - next
    x = next
  }
  return 1 - x
}

/**
 * 2F1(1, beta + n; alpha + beta + n; v) with v = 1/(1+d), as a continued fraction of Gauss (DLMF 15.7.1) whose terms are written in mu
 * and phi, from the end: near d = 0 the series takes thousands of times as many terms.
 */
function lifetimeFrom({ churn, spread }: ShiftedBetaGeometric, age: number, monthlyDiscount: number): number {
  if (!(monthlyDiscount > 0)) throw new RangeError(`a lifetime needs a discount above 0, got ${monthlyDiscount}`)
  const v = 1 / (1 + monthlyDiscount)
  const c = 1 + age * spread
  const b = c - churn
  let rest = 1
  for (let k = 20 + Math.ceil(20 / Math.sqrt(1 - v)); k >= 1; k--) {
    const odd = ((b + k * spread) * (c + (k - 1) * spread)) / ((c + (2 * k - 1) * spread) * (c + 2 * k * spread))
    const even = (k * spread * (churn + (k - 1) * spread)) / ((c + (2 * k - 2) * spread) * (c + (2 * k - 1) * spread))
    rest = 1 - (even * v) / (1 - (odd * v) / rest)
  }
  return 1 / (1 - ((b / c) * v) / rest)
}
