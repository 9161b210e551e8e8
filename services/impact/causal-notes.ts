import { formatMicros } from '../shared/domain/money.ts'
import { MIN_HOUSEHOLDS } from '../shared/domain/suppression.ts'
import type { ShownReport } from './causal-hidden.ts'
import type { CausalEstimate } from './holdout-estimates.ts'

/** What the figures of one experiment say, each in a sentence. */
export function saidOf({ product, currency, refusal, hidden, estimates, before }: ShownReport): string[] {
  const money = (micros: number) => `${formatMicros(BigInt(Math.round(micros / 10_000)) * 10_000n)} ${currency}`
  const { naive, exposureScaled, exposureScaledCuped, placebo } = estimates
  const best = exposureScaledCuped ?? exposureScaled
  return [
    ...(refusal === null ? [] : [`refused: ${refusal.says}`]),
    ...hidden.map((what) => `hidden: ${what} fewer than ${MIN_HOUSEHOLDS} households`),
    ...(naive === null
      ? []
      : [
          `naive: who owns ${product} brings ${money(naive.estimateMicros)} more than who does not; they differed before they bought it, so this is no effect`,
        ]),
    ...(best === null
      ? []
      : [
          `by lot: owning ${product} adds ${money(best.estimateMicros)} per owner${exposureScaledCuped === null ? '' : ', earlier spending taken out'}; ${verdictOf(best)}`,
        ]),
    ...(best === null || naive === null ? [] : [credibilityText(best, naive)]),
    ...(placebo === null || before === null
      ? []
      : [
          isApart(placebo)
            ? `placebo: the arms differed by ${money(placebo.estimateMicros)} before the experiment, which the lot should not do: mistrust it, or take CUPED`
            : 'placebo: before the experiment the arms did not differ, as it should be',
        ]),
  ]
}

/** What the rows of every table mean. */
export function legendOf(): string {
  return [
    'observational: households that chose to own are compared with those that did not; they differ in more than owning',
    'by lot: some were held out at random, so the arms differ by the offer alone; per household drawn, or per owner (difference',
    '  of arms over their difference in owning, Fieller interval: no bounds where they own it alike)',
    'CUPED: what each household spent before the experiment is taken out; placebo: the same difference on that time alone',
    'difference in differences: change since the time before, owners minus others; regression: at equal earlier margin',
    'of naive: credibility ratio, how much of the naive figure is left; none where the naive figure may be 0',
  ]
    .map((line) => `${line}\n`)
    .join('')
}

const isApart = ({ lowMicros, highMicros }: CausalEstimate) =>
  lowMicros !== null && highMicros !== null && (lowMicros > 0 || highMicros < 0)

function verdictOf(estimate: CausalEstimate): string {
  if (estimate.lowMicros === null) {
    return 'nothing bounds it: the arms own it nearly alike, or nobody differs'
  }
  if (!isApart(estimate)) {
    return 'it may be nothing'
  }
  return estimate.lowMicros > 0 ? 'it is above 0' : 'it is below 0: it takes away'
}

function credibilityText({ credibility }: CausalEstimate, naive: CausalEstimate): string {
  if (credibility !== null) {
    const percent = (ratio: number) => `${(100 * ratio).toFixed(0)} %`
    return `credibility: ${percent(credibility.ratio)} of the naive figure (${percent(credibility.low)} to ${percent(credibility.high)})`
  }
  return isApart(naive)
    ? 'credibility: none, for nothing bounds what the product adds'
    : 'credibility: none, for the naive figure may be 0'
}
