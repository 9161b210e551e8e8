import { wilson } from '../share-interval.ts'
import { normalQuantile } from './normal.ts'

/** Events counted among independent trials. */
export interface Count {
  /** 0 to `trials`. */
  events: number
  /** Above 0. */
  trials: number
}

export interface Interval {
  low: number
  high: number
}

export interface Estimate extends Interval {
  estimate: number
}

/** Wilson's score interval (1927) of a proportion of independent trials. Requests of one household are not independent. */
export function wilsonOfCount({ events, trials }: Count, confidence = 0.95): Estimate {
  if (!(trials > 0 && events >= 0 && events <= trials))
    throw new RangeError(`expected 0 to ${trials} events in at least one trial, got ${events}`)
  const share = events / trials
  return { estimate: share, ...wilson(share, trials, normalQuantile((1 + confidence) / 2)) }
}

/**
 * Newcombe's hybrid score interval of the difference of two independent proportions, first minus second (Newcombe 1998,
 * Statistics in Medicine 17, 873-890, method 10). Unlike Wald's it holds its coverage for counts of 0 to 10 and stays
 * within -1 and 1, so it is the one for cohorts too small for a paired difference.
 *
 * @throws RangeError where events exceed trials or there are no trials
 */
export function newcombeDifference(first: Count, second: Count, confidence = 0.95): Estimate {
  return moverDifference(wilsonOfCount(first, confidence), wilsonOfCount(second, confidence))
}

/**
 * MOVER (Donner & Zou 2012): limits of a difference recovered from the limits of two independent estimates. With Wilson
 * limits it is Newcombe's interval; with the limits of `shareBounds` it is the difference of two cohorts' shares.
 */
export function moverDifference(first: Estimate, second: Estimate): Estimate {
  const estimate = first.estimate - second.estimate
  return {
    estimate,
    low: estimate - Math.hypot(first.estimate - first.low, second.high - second.estimate),
    high: estimate + Math.hypot(first.high - first.estimate, second.estimate - second.low),
  }
}
