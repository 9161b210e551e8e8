import { PipelineError } from '../../shared/domain/faults.ts'
import type { Days, ImpactDeps } from '../experiments.ts'
import { readHoldout, type HoldoutReport } from '../holdout.ts'
import type { YearlyEffect } from './facts.ts'

/** The calendar years of a report, the first and the last as far as it reaches. */
export function yearsOf({ from, to }: Days): (Days & { readonly year: number })[] {
  const [first, last] = [from, to].map((day) => Number(day.slice(0, 4))) as [number, number]
  return Array.from({ length: last - first + 1 }, (_, at) => {
    const year = first + at
    return { year, from: year === first ? from : `${year}-01-01`, to: year === last ? to : `${year}-12-31` }
  })
}

/** What each product's experiment says of each year's margin per owner. */
export async function readEffects(
  deps: ImpactDeps,
  { products, currency, ...days }: Days & { readonly products: readonly string[]; readonly currency: string },
  onProgress: (done: number, all: number) => void = () => undefined,
): Promise<YearlyEffect[]> {
  const years = yearsOf(days)
  const effects: YearlyEffect[] = []
  for (const product of products) {
    // From the first year that an experiment says something of.
    let begin: string | undefined
    for (const { year, from, to } of years) {
      const { perOwner, whyNone } = await readEffect(deps, { product, currency, from, to })
      begin ??= perOwner === null ? undefined : from
      const upToYear =
        perOwner === null || begin === undefined || begin === from
          ? perOwner
          : (await readEffect(deps, { product, currency, from: begin, to })).perOwner
      effects.push({ product, year, perOwner, whyNone, upToYear })
      onProgress(effects.length, products.length * years.length)
    }
  }
  return effects
}

type Effect = Pick<YearlyEffect, 'perOwner' | 'whyNone'>

async function readEffect(deps: ImpactDeps, question: Parameters<typeof readHoldout>[1]): Promise<Effect> {
  try {
    return effectOf(await readHoldout(deps, question))
  } catch (thrown) {
    // No experiment withholds it in that year: then its claimed side is told all the same.
    if (thrown instanceof PipelineError && thrown.code === 'usage_invalid') {
      return { perOwner: null, whyNone: thrown.message }
    }
    throw thrown
  }
}

/** The exposure-scaled difference, with CUPED where there is a time before. */
export function effectOf({ refusal, estimates }: Pick<HoldoutReport, 'refusal' | 'estimates'>): Effect {
  const found = estimates.exposureScaledCuped ?? estimates.exposureScaled
  if (refusal !== null || found === null) {
    return { perOwner: null, whyNone: refusal?.says ?? 'as many own it in the holdout as in the treatment' }
  }
  const { estimateMicros, lowMicros, highMicros } = found
  return {
    perOwner: { micros: estimateMicros, low: lowMicros ?? -Infinity, high: highMicros ?? Infinity },
    whyNone: null,
  }
}
