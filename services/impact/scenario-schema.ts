import { z } from 'zod'

import { wholeField } from '../shared/io/form-kinds.ts'
import { discount, money, sentences, share } from './form.ts'

/** The one description of a scenario file; infra/impact/README.md says what each field means. */
export const horizonMonthsMax = 240
export const aliveMonthsMax = 240
export const customersMax = 1_000_000_000

const takeUpAdvice = 'write once: 5% for a share in the first month, or monthly: 1% of those who never had it'
const takeUp = z
  .strictObject({ once: share.optional(), monthly: share.optional() }, takeUpAdvice)
  .refine(({ once, monthly }) => (once === undefined) !== (monthly === undefined), takeUpAdvice)

const nameAdvice = 'write a name of at most 18 characters: it heads a column'
const aliveAdvice = 'write customers still there by month, month 0 first: [100, 86.9, 74.3]'

export const scenarioForm = z.strictObject(
  {
    version: z.literal(1, 'write 1'),
    name: z.string(nameAdvice).regex(/^[^\p{Cc}]{1,18}$/u, nameAdvice),
    assumptions: sentences,
    horizonMonths: wholeField(1, horizonMonthsMax),
    discountPerYear: discount,
    households: wholeField(1, 1_000_000_000),
    price: money,
    trialMonths: wholeField(0, 24).default(0),
    takeUp,
    prime: z
      .strictObject(
        { share, takeUp, fee: money, margin: share },
        'write share, takeUp, fee and margin; leave prime out where members pay like everybody',
      )
      .optional(),
    retention: z.strictObject(
      {
        alive: z
          .array(z.number(aliveAdvice).min(0, aliveAdvice).max(customersMax, aliveAdvice), aliveAdvice)
          .min(3, 'write months 0, 1 and 2 at least: one renewal tells no curve')
          .max(aliveMonthsMax, `write at most ${aliveMonthsMax} months`),
        customers: wholeField(1, customersMax).optional(),
      },
      'write alive: and, for intervals, customers:',
    ),
    costToServe: z.strictObject(
      {
        requestsPerMonth: z
          .number('write requests of a household a month, 0 to 1000000')
          .min(0, 'write 0 or more')
          .max(1_000_000, 'write at most 1000000'),
        perRequest: money,
      },
      'write requestsPerMonth and perRequest',
    ),
    fixedPerYear: money,
  },
  'write the fields of a scenario, version: 1 first',
)

export type ScenarioForm = z.output<typeof scenarioForm>
