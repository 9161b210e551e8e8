/** Accepted events made by ClickHouse itself, from numbers alone: the same rows each time. */

export interface History {
  readonly events: number
  /** YYYY-MM-DD. */
  readonly firstDay: string
  readonly days: number
}

/** A household speaks so often a day, on average: as the simulator's do. */
const requestsPerDay = 15

/**
 * INSERT of `rows` events from number `first` on, in the order of time. A household keeps its cohort (one of 2,000: 4 products,
 * 25 months of activation, 20 countries) and its plans; a tenth of the households speak half of all requests.
 *
 * Parameters: topicId, partition, offset (of the first row), first, rows.
 */
export function madeRows(database: string, { events, firstDay, days }: History): string {
  const households = Math.max(2_000, Math.round(events / days / requestsPerDay))
  const firstMs = Date.parse(firstDay)
  const stepMs = (days * 86_400_000) / events
  return `INSERT INTO ${database}.intent_events
    (event_id, occurred_at, device, household, product, device_model, activated_on, country, locale, plans, intent, outcome,
     latency_ms, order_id, amount_micros, currency, app_version, skill_id, value_class, rule_id, taxonomy_version, topic_id,
     partition, kafka_offset, recorded_at)
    WITH
      {first:UInt64} + number AS n,
      toUInt64(${households} * pow(cityHash64(n) / pow(2, 64), 3)) AS index,
      cityHash64(index, 'household') AS id,
      id % 2000 AS cohort,
      cityHash64(n, 'draw') % 1000 AS draw,
      multiIf(draw < 20, 'direct', draw < 60, 'assisted', draw < 110, 'entitlement', draw < 960, 'free', draw < 980, 'not_a_request', 'unclassified') AS class,
      draw < 10 AS buys,
      fromUnixTimestamp64Milli(toInt64(${firstMs} + n * ${stepMs}), 'UTC') AS time
    SELECT
      reinterpretAsFixedString(toUInt128(cityHash64(n, 'low')) + bitShiftLeft(toUInt128(cityHash64(n, 'high')), 64)),
      time, cityHash64(index, draw % 2), id,
      concat('product_', toString(cohort % 4)), concat('model_', toString(cohort % 12)),
      addMonths(toDate('2023-01-01'), intDiv(cohort, 4) % 25) + id % 28,
      concat('C', toString(intDiv(cohort, 100))), 'en-US',
      ['', '', '', 'prime', 'prime', 'music,prime', 'security'][id % 7 + 1],
      concat(class, '_', toString(draw % 7)), 'fulfilled', 200 + draw,
      if(buys, hex(cityHash64(n, 'order')), ''), if(buys, 10000 * draw, 0), if(buys, 'USD', ''),
      '4.1.0', '', class, concat('rule_', class), 1,
      {topicId:UUID}, {partition:UInt32}, {offset:UInt64} + number, time
    FROM numbers({rows:UInt64})`
}
