import { logGamma } from './log-gamma.ts'

/**
 * A cohort of as many customers, drawn with replacement from the observed one: the number that leaves in each month is
 * multinomial with the observed parts (Efron 1979, "Bootstrap methods: another look at the jackknife", Annals of Statistics 7,
 * 1-26). Nothing is assumed of the curve that is fitted to it afterwards.
 *
 * @param alive observed, by month, never rising; counts or per cent of month 0
 * @param customers of the cohort, a whole number above 0
 * @param unit uniform in [0, 1)
 * @returns customers alive by month
 */
export function resampleCohort(alive: readonly number[], customers: number, unit: () => number): number[] {
  const drawn = [customers]
  for (let month = 1; month < alive.length; month++) {
    const before = alive[month - 1]!
    drawn.push(before > 0 ? binomial(drawn[month - 1]!, alive[month]! / before, unit) : 0)
  }
  return drawn
}

/**
 * The number of successes in `trials` with that chance each: the inverse of the distribution, walked from its mode to both sides,
 * because that takes as many steps as a standard deviation is wide, not as there are trials.
 */
export function binomial(trials: number, chance: number, unit: () => number): number {
  if (chance <= 0 || trials === 0) return 0
  if (chance >= 1) return trials
  const odds = chance / (1 - chance)
  const mode = Math.min(trials, Math.floor((trials + 1) * chance))
  const atMode = Math.exp(logChoose(trials, mode) + mode * Math.log(chance) + (trials - mode) * Math.log1p(-chance))
  let target = unit() - atMode
  let [low, high] = [mode, mode]
  let [atLow, atHigh] = [atMode, atMode]
  while (target > 0 && (low > 0 || high < trials)) {
    if (high < trials) {
      atHigh *= ((trials - high) * odds) / (high + 1)
      high += 1
      target -= atHigh
      if (target <= 0) return high
    }
    if (low > 0) {
      atLow *= low / ((trials - low + 1) * odds)
      low -= 1
      target -= atLow
      if (target <= 0) return low
    }
    // What is left of the draw is rounding: the rest of the distribution is nothing.
    if (atLow + atHigh === 0) return mode
  }
  return mode
}

function logChoose(n: number, k: number): number {
  return logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1)
}
