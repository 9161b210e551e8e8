import { basename } from 'node:path'

import { z } from 'zod'

import { alphabetPatterns } from '../../shared/domain/alphabet.ts'
import { ecosystemBounds } from '../../shared/domain/ecosystem-bounds.ts'
import { wholeField } from '../../shared/io/form-kinds.ts'
import { readYamlFile, type FieldMistake } from '../../shared/io/yaml-file.ts'
import { discount, money, readForm, sentences, share } from '../form.ts'
import type { DeviceAssumptions } from './assumptions.ts'

/** The one description of a file of assumptions; infra/impact/README.md says what each field means. */
export const productsMax = 50
const productAdvice = 'write the name of a product as its devices have it: kindle'
const productsAdvice = 'write a list with an entry a product'

const form = z.strictObject(
  {
    version: z.literal(1, 'write 1'),
    assumptions: sentences,
    horizonMonths: wholeField(1, 240),
    discountPerYear: discount.optional(),
    requestsPerEvent: wholeField(1, 1_000_000).default(1),
    products: z
      .array(
        z.strictObject(
          {
            product: z
              .string(productAdvice)
              .max(ecosystemBounds.identifier.max, productAdvice)
              .regex(alphabetPatterns.identifier, productAdvice),
            freight: money,
            returnHandling: money,
            returnLoss: share,
            perRequest: money,
          },
          'write product, freight, returnHandling, returnLoss and perRequest',
        ),
        productsAdvice,
      )
      .min(1, productsAdvice)
      .max(productsMax, `write at most ${productsMax} products`),
  },
  'write the fields of a file of assumptions, version: 1 first',
)

type Form = z.output<typeof form>

/** Reads and checks it. Throws one mistake that lists all, one a line, each with file, line, field and what to do. */
export function loadAssumptions(path: string): DeviceAssumptions {
  return parseAssumptions(readYamlFile(path, 'a file of assumptions'), basename(path))
}

/** The same of a text; `file` is how mistakes name it. */
export function parseAssumptions(text: string, file: string): DeviceAssumptions {
  const { products, discountPerYear, requestsPerEvent, assumptions, horizonMonths } = readForm(
    { text, file },
    form,
    (read) => [...twiceFaults(read), ...currencyFaults(read)],
  )
  return {
    ...{ assumptions, horizonMonths },
    currency: products[0]!.freight.currency,
    discountPerYear: discountPerYear ?? 0,
    requestsPerEvent: BigInt(requestsPerEvent),
    products: products.map(({ product, freight, returnHandling, returnLoss, perRequest }) => ({
      product,
      freightMicros: freight.micros,
      returnHandlingMicros: returnHandling.micros,
      returnLossMillionths: BigInt(Math.round(returnLoss * 1e6)),
      perRequestMicros: perRequest.micros,
    })),
  }
}

function twiceFaults({ products }: Form): FieldMistake[] {
  return products.flatMap(({ product }, at) =>
    products.findIndex((other) => other.product === product) === at
      ? []
      : [{ path: ['products', at, 'product'], says: `is ${product} for the second time; write each product once` }],
  )
}

/** Nothing here converts, so sums of two currencies would be added as if they were one. */
function currencyFaults({ products }: Form): FieldMistake[] {
  const { currency } = products[0]!.freight
  return products.flatMap((product, at) =>
    (['freight', 'returnHandling', 'perRequest'] as const)
      .filter((name) => product[name].currency !== currency)
      .map((name) => ({
        path: ['products', at, name],
        says: `is in ${product[name].currency} and the first amount in ${currency}; write all amounts in one currency`,
      })),
  )
}
