import { numberBounds, textBounds } from './event.ts'

/** Bounds that the streams of orders, devices and experiments share with the requests, and their own. */
export const ecosystemBounds = {
  time: numberBounds.occurredAt,
  day: numberBounds.activatedOn,
  identifier: textBounds.product,
  deviceModel: textBounds.deviceModel,
  orderId: textBounds.orderId,
  country: textBounds.country,
  currency: textBounds.currency,
  /** A price: nothing to a thousand million units. */
  price: numberBounds.amountMicros,
  /** What may be taken back: as much, negative. */
  signedMicros: { min: -numberBounds.amountMicros.max, max: numberBounds.amountMicros.max },
  shareMillionths: { min: 0, max: 1_000_000 },
} as const

/** Backfilled from systems of record, so they may have happened long before they were sent: twenty years. */
export const ecosystemAgeMaxMs = 7_305 * 86_400_000
