import { shapleyWeights, sharesWhole } from './shapley-sql.ts'

/** Each shares the margin of an order out over products; what no product gets is uncredited. */
export const creditMethods = ['last_touch', 'equal_split', 'shapley'] as const
export type CreditMethod = (typeof creditMethods)[number]

/** What becomes of a claim; of several reasons against it the first. */
export const claimFates = ['valid', 'touched_later', 'never_owned', 'before_activation', 'given_back'] as const
export type ClaimFate = (typeof claimFates)[number]

/** Days both included; of one currency, since amounts of two are never summed. */
export interface CreditQuestion {
  readonly from: string
  readonly to: string
  readonly currency: string
}

/**
 * Joins and aggregations by household spill to disk above these, well below what the pipeline's user may take: the statement must end
 * for hundreds of millions of orders, too.
 */
export const creditSettings = {
  join_algorithm: 'grace_hash',
  max_bytes_in_join: '400000000',
  max_bytes_before_external_group_by: '800000000',
} as const

/**
 * SELECT of one row for each line of an order in the window: how its margin is shared out by each method. Parameters: those of
 * `CreditQuestion`.
 *
 * Columns: event_id, occurred_at, household, line, margin_micros; `devices` of the household, (product, since, until); `claims`,
 * (product, fate); and by method, e.g. `shapley_products` and `shapley_micros`, of which the last are '' and the uncredited remainder.
 *
 * - *last_touch*: all to the valid claim with the latest touch; of several to the product whose name comes first.
 * - *equal_split*: in equal parts over the distinct products with a valid claim.
 * - *shapley*: over the products that the household owned, whether they claim or not; see `shapleyWeights`.
 *
 * A claim is valid when the household owned the product on the day of the order and the touch lies at or before it. A refund has
 * claims, owned products and so weights of the order that it takes back, which is the first of the same household, order id and line
 * that is no refund; without one its own.
 *
 * Conservation: with integer weights W_1, ..., W_n of a whole W the i-th product gets
 * trunc(M (W_1 + ... + W_i) / W) - trunc(M (W_1 + ... + W_(i-1)) / W) and the remainder is M - trunc(M (W_1 + ... + W_n) / W): the terms
 * cancel, so they add up to M exactly. Truncated towards zero and not down, so that a refund of all takes back to the micro-unit what
 * its order brought.
 */
export function creditedOrders(database: string): string {
  return `SELECT event_id, occurred_at, household, line, margin_micros, devices, claims,
      ${creditMethods.map(sharedOut).join(', ')}
    FROM (
      SELECT *, arrayFilter(device -> device.2 <= toDate(ordered_at), devices).1 AS activated,
          arrayMap(claim -> (claim.1, multiIf(
            claim.2 > ordered_at, 'touched_later',
            has(owned, claim.1), 'valid',
            NOT has(devices.1, claim.1), 'never_owned',
            NOT has(activated, claim.1), 'before_activation',
            'given_back')), touches) AS claims,
          arraySort(claim -> (-toUnixTimestamp64Milli(claim.2), claim.1),
            arrayFilter((touch, claim) -> claim.2 = 'valid', touches, claims)) AS valid,
          arraySort(arrayDistinct(valid.1)) AS claimants,
          arraySlice(valid.1, 1, 1) AS last_touch, arrayMap(product -> 1, last_touch) AS last_touch_reached, 1 AS last_touch_whole,
          claimants AS equal_split, arrayEnumerate(claimants) AS equal_split_reached,
          greatest(length(claimants), 1) AS equal_split_whole,
          if(empty(reached), [], owned) AS shapley, reached AS shapley_reached, ${sharesWhole} AS shapley_whole
      FROM (${ordersWithOwners(database)}) AS orders
      LEFT JOIN (${shapleyWeights(database)}) AS weights ON orders.line = weights.line AND orders.owned = weights.owned)`
}

/**
 * SELECT of each line of an order in the window with `ordered_at` and `touches` of the order that a refund takes back, and `owned`: the
 * products that the household had then, sorted.
 */
export function ordersWithOwners(database: string): string {
  return `SELECT event_id, occurred_at, household, line, margin_micros, ordered_at, touches, devices,
      ${ownedOn('toDate(ordered_at)')} AS owned
    FROM (
      SELECT event_id, occurred_at, household, toString(line) AS line, margin_micros,
        revenue_micros < 0 AND original.1 = 1 AS is_known_refund,
        if(is_known_refund, original.2, occurred_at) AS ordered_at,
        arrayZip(CAST(if(is_known_refund, original.3, claim_products), 'Array(String)'),
          if(is_known_refund, original.4, claim_touched_at)) AS touches
      FROM ${database}.ecosystem_orders AS orders
      LEFT JOIN (
        SELECT household, order_id, line,
          argMin((1, occurred_at, claim_products, claim_touched_at), (occurred_at, event_id)) AS original
        FROM ${database}.ecosystem_orders
        WHERE currency = {currency:String} AND revenue_micros >= 0 AND (household, order_id, line) IN (
          ${refundedLines(database)})
        GROUP BY household, order_id, line) AS originals
      USING (household, order_id, line)
      WHERE currency = {currency:String} AND ${inWindow}) AS lines
    LEFT JOIN (${devicesByHousehold(database)}) AS owners USING (household)`
}

/** SELECT of household, order_id and line of what was taken back in the window. */
export function refundedLines(database: string): string {
  return `SELECT household, order_id, line FROM ${database}.ecosystem_orders
          WHERE currency = {currency:String} AND revenue_micros < 0 AND ${inWindow}`
}

/** SELECT of `devices` by household: (product, first day owned, first day no longer owned). */
export function devicesByHousehold(database: string): string {
  return `SELECT household, groupArray((product, since, until)) AS devices
    FROM (
      SELECT household, device, toString(product) AS product, min(activated_on) AS since,
        if(countIf(returned) = 0, toDate('2149-06-06'), minIf(toDate(occurred_at), returned)) AS until
      FROM ${database}.device_activations
      GROUP BY household, device, product)
    GROUP BY household`
}

/** The products that `devices` hold on a day, sorted; `day` is an expression. */
export function ownedOn(day: string): string {
  return `arraySort(arrayDistinct(arrayFilter(device -> device.2 <= ${day} AND ${day} < device.3, devices).1))`
}

/** The month of the household's first activation of `product`, given back or not; '' for one that it never had. */
export const cohortMonth =
  "if(has(devices.1, product), substring(toString(arrayMin(arrayFilter(device -> device.1 = product, devices).2)), 1, 7), '')"

export const inWindow = 'toDate(occurred_at) BETWEEN {from:Date} AND {to:Date}'

function sharedOut(method: CreditMethod): string {
  const upTo = `arrayMap(weight -> toInt64(intDiv(toInt128(margin_micros) * weight, ${method}_whole)), ${method}_reached)`
  return `arrayPushBack(${method}, '') AS ${method}_products,
      arrayMap((upTo, before) -> upTo - before, arrayPushBack(${upTo} AS ${method}_upto, margin_micros),
        arrayPushFront(${method}_upto, toInt64(0))) AS ${method}_micros`
}
