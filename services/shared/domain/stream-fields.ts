import type { StreamField, TextBounds } from './stream.ts'

/** Fields of a stream as its description lists them. */
export const text = <P extends string>(path: P, bounds: TextBounds, required = true) =>
  ({ path, kinds: ['string'], required, text: bounds }) as const satisfies StreamField
export const number = <P extends string>(path: P, bounds: NonNullable<StreamField['bounds']>, required = true) =>
  ({ path, kinds: ['int', 'long'], required, bounds }) as const satisfies StreamField
export const fixed = <P extends string>(path: P, size: number) =>
  ({ path, kinds: ['fixed'], size, required: true }) as const satisfies StreamField

/** Where in `at` (see `Walker.walk`) a field's span stands. */
export function slotIn<P extends string>(fields: readonly { readonly path: P }[], path: P): number {
  return fields.findIndex((field) => field.path === path) * 2
}
