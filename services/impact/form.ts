import { z } from 'zod'

import { parseMoney } from '../shared/domain/money.ts'
import { numberOfShare, percent } from '../shared/io/form-kinds.ts'
import { fieldMistakes, fieldName, parseYaml, refusedFields, type FieldMistake } from '../shared/io/yaml-file.ts'

/**
 * What the files of assumptions are made of. Every message is the second half of a sentence, what to write; `readForm` puts file,
 * line and field in front of it.
 */
const moneyAdvice = 'write an amount with its currency, at most six decimals: 8.00 USD'
export const money = z.string(moneyAdvice).transform((text, context) => {
  const amount = parseMoney(text)
  if (amount === null) {
    context.addIssue({ code: 'custom', message: moneyAdvice })
    return z.NEVER
  }
  return amount
})

const shareAdvice = 'write 0 to 100 %: 5% or 0.05'
export const share = z
  .union([percent(shareAdvice), z.number(shareAdvice).min(0, shareAdvice).max(1, shareAdvice)], shareAdvice)
  .transform(numberOfShare)
  .refine((part) => part <= 1, shareAdvice)

const discountAdvice = 'write a rate above 0 and at most 100 % a year: 10%'
export const discount = share.refine((part) => part > 0, discountAdvice)

const sentencesAdvice = 'write sentences, one a line: what these numbers rest on'
export const sentences = z
  .array(z.string(sentencesAdvice).min(1, sentencesAdvice).max(500, sentencesAdvice), sentencesAdvice)
  .max(20, 'write at most 20 sentences')
  .default([])

/** Throws one mistake that lists all, one a line, each with file, line, field and what to do. */
export function readForm<F extends z.ZodObject>(
  { text, file }: { text: string; file: string },
  form: F,
  contradictionsOf: (read: z.output<F>) => FieldMistake[],
): z.output<F> {
  const { value, lineOf } = parseYaml(text, file)
  const parsed = form.safeParse(value)
  const found = parsed.success
    ? contradictionsOf(parsed.data)
    : parsed.error.issues.flatMap((issue) => fieldMistakes(issue, value, form))
  if (found.length > 0 || !parsed.success) {
    const sentenceOf = ({ path, says }: FieldMistake) => `${fieldName(path) || 'the file'} ${says}`
    throw refusedFields(file, found, { lineOf, sentenceOf })
  }
  return parsed.data
}
