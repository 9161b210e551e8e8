import { devicesByHousehold, inWindow, ordersWithOwners, ownedOn } from './credit-sql.ts'

/** Shares are whole trillionths. */
export const sharesWhole = 1_000_000_000_000

/** Products of one household that are shared out at most: all subsets of them are gone through. */
const ownedMax = 12

/**
 * SELECT of line, owned (sorted) and `reached`: of a margin on this line of a household that owns just these, which part the first, the
 * first two, ... products get together, in trillionths. A pair without a row is uncredited. Parameters: those of `CreditQuestion`.
 *
 * The game: v(S) is the mean margin per household-day on the line of all households while they own exactly S, over the window, net of
 * refunds. A product's value is its mean contribution over the orders in which the products could have come,
 * phi_p(O) = sum over S in O without p of |S|! (|O| - |S| - 1)! / |O|! (v(S with p) - v(S))   (Shapley 1953),
 * and v of none owned is what households spend without any: the base. p gets the share max(phi_p, 0) of
 * max(v(none), 0) + sum of max(phi, 0). Where that is nothing, or any S in O was never seen alone, there is no row.
 *
 * Attribution by Shapley values: Dalessandro et al. 2012, Zhao et al. 2018. It compares who owns more with who owns less: it is
 * observational, and does not undo that households which spend more buy more devices.
 *
 * Exact in whole numbers (v in millionths of a micro-unit, phi times |O|!, in 256 bits), so that a second run says the same.
 *
 * Days and not months: ownership begins and ends on a day, and a household that buys in the middle of a month owned two sets in it.
 */
export function shapleyWeights(database: string): string {
  return `SELECT line, owned, arrayMap(gain -> toInt64(intDiv(gain * ${sharesWhole}, whole)), arrayCumSum(gains)) AS reached
    FROM (
      SELECT line, owned,
        arrayMap(value -> greatest(value, toInt256(0)), sumForEach(arrayMap(product -> worth * if(has(part, product),
          toInt64(factorial(length(part) - 1) * factorial(length(owned) - length(part))),
          -toInt64(factorial(length(part)) * factorial(length(owned) - length(part) - 1))), owned))) AS gains,
        greatest(sumIf(worth, empty(part)), toInt256(0)) * factorial(length(owned)) + arraySum(gains) AS whole
      FROM (SELECT owned FROM (${householdDays(database)}) WHERE length(owned) BETWEEN 1 AND ${ownedMax}) AS wholes
      CROSS JOIN (${worths(database)}) AS worths
      WHERE hasAll(owned, part)
      GROUP BY line, owned
      HAVING count() = bitShiftLeft(toUInt64(1), length(owned)) AND whole > 0)`
}

/** v(S) by line and set: 0 where households owned it and bought nothing of the line. */
function worths(database: string): string {
  return `SELECT line, part, intDiv(toInt256(margin) * 1000000, days) AS worth
    FROM (
      SELECT line, owned AS part, sum(margin) AS margin, sum(days) AS days
      FROM (
        SELECT line, owned, margin, toUInt64(0) AS days FROM (${margins(database)})
        UNION ALL
        SELECT line, owned, toInt128(0) AS margin, days
        FROM (${householdDays(database)}) AS seen CROSS JOIN (
          SELECT DISTINCT toString(line) AS line FROM ${database}.ecosystem_orders
          WHERE currency = {currency:String} AND ${inWindow}) AS lines)
      GROUP BY line, owned)
    WHERE days > 0`
}

function margins(database: string): string {
  return `SELECT line, owned, sum(toInt128(margin_micros)) AS margin
    FROM (${ordersWithOwners(database)}) GROUP BY line, owned`
}

/** Days of the window by what was owned on them, of every household that any of the three tables knows. */
function householdDays(database: string): string {
  return `SELECT owned, sum(days) AS days
    FROM (
      SELECT ${ownedOn('span.1')} AS owned, toUInt64(span.2) AS days
      FROM (
        SELECT devices, arraySort(arrayDistinct(arrayMap(day -> least(greatest(day, {from:Date32}), {to:Date32} + 1),
            arrayConcat([{from:Date32}, {to:Date32} + 1], devices.2, devices.3)))) AS cuts
        FROM (${devicesByHousehold(database)}))
      ARRAY JOIN arrayMap((day, next) -> (day, dateDiff('day', day, next)), arrayPopBack(cuts), arrayPopFront(cuts)) AS span
      UNION ALL
      SELECT [] AS owned, toUInt64(dateDiff('day', {from:Date32}, {to:Date32}) + 1) AS days FROM (${householdsWithoutDevices(database)}))
    GROUP BY owned`
}

function householdsWithoutDevices(database: string): string {
  return `SELECT household FROM (
      SELECT household, 0 AS has_device FROM ${database}.ecosystem_orders
      UNION ALL SELECT household, 0 AS has_device FROM ${database}.experiment_arms
      UNION ALL SELECT household, 1 AS has_device FROM ${database}.device_activations)
    GROUP BY household HAVING max(has_device) = 0`
}
