import type { Planted } from '../impact/page/planted.ts'
import type { Truth } from '../producer/ecosystem/truth.ts'

/** The years in which products are sold. */
const years = [2017, 2018, 2019, 2020, 2021] as const

/** What the simulation says is true, as a report's estimates are to be compared with it. */
export function plantedOf({ products }: Pick<Truth, 'products'>, names: readonly string[]): Planted[] {
  return names.map((product) => {
    const told = products[product as keyof Truth['products']]
    const { households, ownersAtEnd, intentionToTreatMicros } = told.experiment
    const owning = (arm: 'treatment' | 'holdout') => ownersAtEnd[arm] / households[arm]
    return {
      product,
      years: years.map((year) => ({ year, causedMicros: told.years[year]!.causedMarginMicros })),
      perHouseholdMicros: intentionToTreatMicros!,
      perOwnerMicros: intentionToTreatMicros! / (owning('treatment') - owning('holdout')),
    }
  })
}
