import { sampleRatio, type SampleRatio } from '../shared/domain/stats/sample-ratio.ts'
import { mergeMoments } from '../shared/domain/stats/moments.ts'
import { mistake } from '../shared/domain/faults.ts'
import { readCurrencies, type CurrencySum } from './currencies.ts'
import { chooseExperiment, readExperiments, type Days, type ImpactDeps } from './experiments.ts'
import { readDrawnArms, readHoldoutCells, type DrawnArms } from './holdout-cells.ts'
import { estimateHoldout, type Arm, type Estimates, type HoldoutCell } from './holdout-estimates.ts'
import { readOrderDays } from './order-days.ts'

export interface HoldoutQuestion extends Days {
  readonly product: string
  /** Needed where several withhold the product. */
  readonly experiment?: string
  readonly currency: string
  /** Of orders; all where left out. */
  readonly line?: string
}

/** Why the experiment's figures are not told. */
export interface Refusal {
  readonly code: 'no_holdout' | 'no_treatment' | 'changed_shares' | 'sample_ratio'
  readonly says: string
}

export interface ArmFigures {
  readonly households: number
  readonly owners: number
  /** Mean margin per household, micros; null of no household. */
  readonly meanMarginMicros: number | null
}

/** What withholding one product from some households by lot says of its margin, beside what comparisons without a lot say. */
export interface HoldoutReport {
  readonly product: string
  readonly experiment: string
  /** When the product is withheld. */
  readonly drawn: Days
  readonly currency: string
  /** Null: all. */
  readonly line: string | null
  readonly window: Days & { readonly days: number }
  /** As long as the window and before the experiment, or what there is of it; null where no order is that old. */
  readonly before: (Days & { readonly days: number }) | null
  /** Households in both arms of the experiment, which are left out. */
  readonly bothArms: number
  /** Null where an arm is empty. */
  readonly sampleRatio: SampleRatio | null
  /** No estimate is told where the arms are not what the lot drew; without an arm the observational ones are. */
  readonly refusal: Refusal | null
  /** Null where refused for what the arms are. Owners of the holdout are its leak. */
  readonly arms: Readonly<Record<Arm, ArmFigures>> | null
  /** Owners and the others, of both arms; null as `arms`. */
  readonly owning: { readonly owners: ArmFigures; readonly others: ArmFigures } | null
  readonly estimates: Estimates
  /** Order lines of the window in other currencies, which are left out. */
  readonly otherCurrencies: readonly CurrencySum[]
}

/**
 * Reads one experiment. Amounts are micros of margin per household, net of refunds; each household counts, with or without orders.
 *
 * Throws a mistake for a product that no experiment withholds, an experiment that there is not, and days outside of it.
 */
export async function readHoldout(deps: ImpactDeps, question: HoldoutQuestion): Promise<HoldoutReport> {
  const { product, currency, line = null } = question
  const experiment = chooseExperiment(await readExperiments(deps), question)
  const window = { from: question.from, to: question.to, days: daysOf(question) }
  assertWithin(window, experiment)
  const before = beforeOf(experiment.drawn.from, window.days, (await readOrderDays(deps, { currency }))?.from ?? null)
  const drawn = await readDrawnArms(deps, experiment)
  const currencies = await readCurrencies(deps, window)
  const report = {
    ...{ product, experiment: experiment.experiment, drawn: experiment.drawn, currency, line, window, before },
    ...{ bothArms: drawn.bothArms, otherCurrencies: currencies.filter((one) => one.currency !== currency) },
    ...judgeArms(drawn),
  }
  if (armsDiffer(report)) {
    return { ...report, arms: null, owning: null, estimates: noEstimates }
  }
  const cells = await readHoldoutCells(deps, experiment, { window, before, currency, line })
  const figures = (of: (cell: HoldoutCell) => boolean) => figuresOf(cells.filter(of))
  return {
    ...report,
    arms: {
      treatment: figures(({ arm }) => arm === 'treatment'),
      holdout: figures(({ arm }) => arm === 'holdout'),
    },
    owning: { owners: figures(({ owner }) => owner), others: figures(({ owner }) => !owner) },
    estimates: estimateHoldout(cells, before && window.days / before.days),
  }
}

/** Refused for what its arms are, so that no figure of it can be trusted. */
export const armsDiffer = ({ refusal }: Pick<HoldoutReport, 'refusal'>): boolean =>
  refusal?.code === 'sample_ratio' || refusal?.code === 'changed_shares'

/** Whether the arms are what the lot was to draw. */
export function judgeArms({
  treatment,
  holdout,
}: Pick<DrawnArms, 'treatment' | 'holdout'>): Pick<HoldoutReport, 'sampleRatio' | 'refusal'> {
  const refuse = (code: Refusal['code'], says: string, ratio: SampleRatio | null = null) => ({
    ...{ sampleRatio: ratio, refusal: { code, says } },
  })
  if (holdout.households === 0) {
    return refuse('no_holdout', 'nobody is held out, so there is nothing to compare by lot')
  }
  if (treatment.households === 0) {
    return refuse('no_treatment', 'everybody is held out, so there is nothing to compare by lot')
  }
  const [asked, withheld] = [treatment.shares, holdout.shares]
  if (asked.length > 1 || withheld.length > 1 || asked[0] === 0 || withheld[0] === 0) {
    return refuse(
      'changed_shares',
      'the shares of the lot are not one above 0 for each arm, so households of different days are mixed unlike in the two arms',
    )
  }
  const ratio = sampleRatio(
    { first: treatment.households, second: holdout.households },
    { first: asked[0]!, second: withheld[0]! },
  )
  return ratio.passes
    ? { sampleRatio: ratio, refusal: null }
    : refuse(
        'sample_ratio',
        `the arms are not as large as the lot was to make them (p = ${ratio.pValue.toPrecision(2)}): households were lost or added unlike in the two, and no difference between them can be trusted`,
        ratio,
      )
}

/** As many days before the begin as the window has, from the first order on; null where none is older than the begin. */
export function beforeOf(begin: string, days: number, firstOrder: string | null): HoldoutReport['before'] {
  if (firstOrder === null || firstOrder >= begin) {
    return null
  }
  const asked = addDays(begin, -days)
  const before = { from: asked < firstOrder ? firstOrder : asked, to: addDays(begin, -1) }
  return { ...before, days: daysOf(before) }
}

const noEstimates: Estimates = {
  ...{ intentionToTreat: null, intentionToTreatCuped: null, exposureScaled: null, exposureScaledCuped: null },
  ...{ placebo: null, naive: null, differenceInDifferences: null, regressionAdjusted: null },
}

function assertWithin({ from, to }: Days, { experiment, drawn }: { experiment: string; drawn: Days }): void {
  if (from < drawn.from || to > drawn.to) {
    throw mistake(
      `${experiment} withholds its product from ${drawn.from} to ${drawn.to}; ${from} to ${to} lies outside: give days within`,
    )
  }
}

function figuresOf(cells: readonly HoldoutCell[]): ArmFigures {
  const { n, outcomeMean } = mergeMoments(cells.map(({ moments }) => moments))
  const owners = cells.reduce((sum, { owner, moments }) => sum + (owner ? moments.n : 0), 0)
  return { households: n, owners, meanMarginMicros: n === 0 ? null : outcomeMean }
}

const dayMs = 86_400_000

const addDays = (day: string, days: number) => new Date(Date.parse(day) + days * dayMs).toISOString().slice(0, 10)
const daysOf = ({ from, to }: Days) => Math.round((Date.parse(to) - Date.parse(from)) / dayMs) + 1
