import type { HoldoutReport } from '../../services/impact/holdout.ts'

/** A report with an intention to treat of 2 to 4 per household, a naive figure of 90 to 110 per owner, and nothing else. */
export function holdoutOf(product: string): HoldoutReport {
  const estimate = (estimateMicros: number, halfWidth: number) => ({
    ...{ estimateMicros, lowMicros: estimateMicros - halfWidth, highMicros: estimateMicros + halfWidth },
    ...{ standardErrorMicros: halfWidth / 2, degreesOfFreedom: 100, credibility: null },
  })
  const days = { from: '2017-01-01', to: '2018-02-28' }
  return {
    ...{ product, experiment: `${product}_holdout`, drawn: days, currency: 'USD', line: null },
    ...{ window: { ...days, days: 424 }, before: null, bothArms: 0, sampleRatio: null, refusal: null },
    ...{ arms: null, owning: null, otherCurrencies: [] },
    estimates: {
      ...{ intentionToTreat: estimate(3, 2), intentionToTreatCuped: estimate(3, 1), exposureScaled: null },
      ...{ exposureScaledCuped: null, placebo: null, naive: estimate(100, 10) },
      ...{ differenceInDifferences: null, regressionAdjusted: null },
    },
  }
}
