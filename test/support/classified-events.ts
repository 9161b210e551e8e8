import type { ClickHouse } from '../../services/shared/io/clickhouse.ts'

/**
 * Accepted events with a known truth, made inside ClickHouse: 2 % truly direct, 20 % assisted, 78 % free. The classifier
 * misses 10 % of the direct and 15 % of the assisted ones, and takes 2 % of the free ones for direct and 10 % for assisted: so most
 * of what it calls direct is not. The intent says the truth (`truly_direct`). The same seed makes the same rows.
 */
export async function insertClassifiedEvents(
  clickHouse: ClickHouse,
  database: string,
  options: { households: number; eventsEach: number; seed: number; taxonomyVersion: number; day: string },
): Promise<void> {
  const { households, eventsEach, seed, taxonomyVersion, day } = options
  await clickHouse.command(
    `INSERT INTO ${database}.intent_events
     SELECT
       MD5(concat('event', toString({seed:UInt32}), '/', toString({taxonomy:UInt16}), '/', toString(number))) AS event_id,
       toDateTime64({day:Date}, 3, 'UTC') + toIntervalMillisecond(cityHash64(number, {seed:UInt32}, 'time') % 86400000) AS occurred_at,
       household AS device, intDiv(number, {each:UInt32}) + 1 AS household, 'echo' AS product, 'echo-dot' AS device_model,
       toDate('2025-12-15') AS activated_on, if(household % 2 = 0, 'DE', 'US') AS country, 'en-US' AS locale, '' AS plans,
       concat('truly_', multiIf(u < 0.02, 'direct', u < 0.22, 'assisted', 'free')) AS intent, 'fulfilled' AS outcome,
       100 AS latency_ms, '' AS order_id, 0 AS amount_micros, '' AS currency, '1' AS app_version, '' AS skill_id,
       multiIf(
         intent = 'truly_direct', if(e < 0.1, 'free', 'direct'),
         intent = 'truly_assisted', if(e < 0.15, 'free', 'assisted'),
         multiIf(e < 0.02, 'direct', e < 0.12, 'assisted', 'free')) AS value_class,
       'made' AS rule_id, {taxonomy:UInt16} AS taxonomy_version, toUUID('00000000-0000-4000-8000-000000000000') AS topic_id,
       {taxonomy:UInt16} AS partition, number AS kafka_offset, now64(3) AS recorded_at
     FROM (
       SELECT number, cityHash64(number, {seed:UInt32}, 'truth') / pow(2, 64) AS u, cityHash64(number, {seed:UInt32}, 'mistake') / pow(2, 64) AS e
       FROM numbers({households:UInt32} * {each:UInt32}))`,
    { seed, taxonomy: taxonomyVersion, day, households, each: eventsEach },
  )
}

/** What people would find if they checked all of them. */
export async function trueShares(clickHouse: ClickHouse, database: string): Promise<{ strict: number; broad: number }> {
  const [row] = await clickHouse.rows<{ strict: number; broad: number }>(
    `SELECT avg(intent = 'truly_direct') AS strict, avg(intent != 'truly_free') AS broad FROM ${database}.intent_events`,
  )
  return row!
}
