-- Roll-ups, filled by materialised views, partitioned by month so that one month can be rebuilt from raw and swapped in.
-- A household hashes to one of 64 buckets, the same on every day; the spread between buckets gives the interval.
--
-- Parts are merged ten at a time, not five (merge_selector_base): states are dear to merge, and half of the merges are enough.
-- A month that nothing was added to for a day is merged whole: a question over a quarter reads a part a month.
-- A cohort stands together within a week, so that its quarter is read in 14 places and not in 90, while a question about a day
-- of all cohorts reads no more than that week; small granules, for a cohort is less than one.

CREATE TABLE IF NOT EXISTS {{database}}.usage_by_cohort_daily {{on_cluster}}
(
    day Date,
    product LowCardinality(String),
    cohort_month Date,
    country LowCardinality(String),
    plans LowCardinality(String),
    value_class Enum8('direct' = 1, 'assisted' = 2, 'entitlement' = 3, 'free' = 4, 'not_a_request' = 5, 'unclassified' = 6),
    taxonomy_version UInt16,
    bucket UInt8,
    requests SimpleAggregateFunction(sum, UInt64),
    purchases SimpleAggregateFunction(sum, UInt64)
)
ENGINE = {{replicated}}AggregatingMergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (toMonday(day), product, cohort_month, country, plans, day, value_class, taxonomy_version, bucket)
SETTINGS index_granularity = 2048, merge_selector_base = 10,
    min_age_to_force_merge_seconds = 86400, min_age_to_force_merge_on_partition_only = 1,
    non_replicated_deduplication_window = {{dedup_window}}, replicated_deduplication_window = {{dedup_window}};

CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.usage_by_cohort_daily_feed {{on_cluster}}
TO {{database}}.usage_by_cohort_daily
AS SELECT
    toDate(occurred_at) AS day,
    product,
    toStartOfMonth(activated_on) AS cohort_month,
    country,
    plans,
    value_class,
    taxonomy_version,
    toUInt8(cityHash64(household) % 64) AS bucket,
    count() AS requests,
    countIf(order_id != '') AS purchases
FROM {{database}}.intent_events
GROUP BY day, product, cohort_month, country, plans, value_class, taxonomy_version, bucket;

-- The same requests without cohorts, for questions about products and all of them: a cohort's question reads thousands of rows
-- of the table above, a product's millions.
CREATE TABLE IF NOT EXISTS {{database}}.usage_by_product_daily {{on_cluster}}
(
    day Date,
    product LowCardinality(String),
    value_class Enum8('direct' = 1, 'assisted' = 2, 'entitlement' = 3, 'free' = 4, 'not_a_request' = 5, 'unclassified' = 6),
    taxonomy_version UInt16,
    bucket UInt8,
    requests SimpleAggregateFunction(sum, UInt64)
)
ENGINE = {{replicated}}AggregatingMergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (product, day, value_class, taxonomy_version, bucket)
SETTINGS merge_selector_base = 10,
    min_age_to_force_merge_seconds = 86400, min_age_to_force_merge_on_partition_only = 1,
    non_replicated_deduplication_window = {{dedup_window}}, replicated_deduplication_window = {{dedup_window}};

CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.usage_by_product_daily_feed {{on_cluster}}
TO {{database}}.usage_by_product_daily
AS SELECT
    toDate(occurred_at) AS day,
    product,
    value_class,
    taxonomy_version,
    toUInt8(cityHash64(household) % 64) AS bucket,
    count() AS requests
FROM {{database}}.intent_events
GROUP BY day, product, value_class, taxonomy_version, bucket;

-- The households behind a cohort's requests. A table of its own: by bucket and class there would be nearly as many states as
-- households, and states are dear to make, to merge and to read.
CREATE TABLE IF NOT EXISTS {{database}}.households_by_cohort_daily {{on_cluster}}
(
    day Date,
    product LowCardinality(String),
    cohort_month Date,
    country LowCardinality(String),
    plans LowCardinality(String),
    taxonomy_version UInt16,
    requests SimpleAggregateFunction(sum, UInt64),
    households AggregateFunction(uniqCombined64, UInt64)
)
ENGINE = {{replicated}}AggregatingMergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (toMonday(day), product, cohort_month, country, plans, day, taxonomy_version)
SETTINGS index_granularity = 2048, merge_selector_base = 10,
    min_age_to_force_merge_seconds = 86400, min_age_to_force_merge_on_partition_only = 1,
    non_replicated_deduplication_window = {{dedup_window}}, replicated_deduplication_window = {{dedup_window}};

CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.households_by_cohort_daily_feed {{on_cluster}}
TO {{database}}.households_by_cohort_daily
AS SELECT
    toDate(occurred_at) AS day,
    product,
    toStartOfMonth(activated_on) AS cohort_month,
    country,
    plans,
    taxonomy_version,
    count() AS requests,
    uniqCombined64State(household) AS households
FROM {{database}}.intent_events
WHERE value_class != 'not_a_request'
GROUP BY day, product, cohort_month, country, plans, taxonomy_version;

CREATE TABLE IF NOT EXISTS {{database}}.usage_by_intent_daily {{on_cluster}}
(
    day Date,
    product LowCardinality(String),
    country LowCardinality(String),
    intent LowCardinality(String),
    value_class Enum8('direct' = 1, 'assisted' = 2, 'entitlement' = 3, 'free' = 4, 'not_a_request' = 5, 'unclassified' = 6),
    taxonomy_version UInt16,
    requests SimpleAggregateFunction(sum, UInt64),
    households AggregateFunction(uniqCombined64, UInt64)
)
ENGINE = {{replicated}}AggregatingMergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (day, product, country, intent, value_class, taxonomy_version)
SETTINGS merge_selector_base = 10,
    min_age_to_force_merge_seconds = 86400, min_age_to_force_merge_on_partition_only = 1,
    non_replicated_deduplication_window = {{dedup_window}}, replicated_deduplication_window = {{dedup_window}};

CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.usage_by_intent_daily_feed {{on_cluster}}
TO {{database}}.usage_by_intent_daily
AS SELECT
    toDate(occurred_at) AS day,
    product,
    country,
    intent,
    value_class,
    taxonomy_version,
    count() AS requests,
    uniqCombined64State(household) AS households
FROM {{database}}.intent_events
GROUP BY day, product, country, intent, value_class, taxonomy_version;

-- Money has its currency in the key: amounts of two currencies are never summed.
CREATE TABLE IF NOT EXISTS {{database}}.purchases_daily {{on_cluster}}
(
    day Date,
    product LowCardinality(String),
    cohort_month Date,
    country LowCardinality(String),
    plans LowCardinality(String),
    value_class Enum8('direct' = 1, 'assisted' = 2, 'entitlement' = 3, 'free' = 4, 'not_a_request' = 5, 'unclassified' = 6),
    taxonomy_version UInt16,
    currency LowCardinality(String),
    purchases SimpleAggregateFunction(sum, UInt64),
    amount_micros SimpleAggregateFunction(sum, Int64),
    households AggregateFunction(uniqCombined64, UInt64)
)
ENGINE = {{replicated}}AggregatingMergeTree
PARTITION BY toYYYYMM(day)
ORDER BY (day, product, cohort_month, country, plans, value_class, taxonomy_version, currency)
SETTINGS merge_selector_base = 10,
    min_age_to_force_merge_seconds = 86400, min_age_to_force_merge_on_partition_only = 1,
    non_replicated_deduplication_window = {{dedup_window}}, replicated_deduplication_window = {{dedup_window}};

CREATE MATERIALIZED VIEW IF NOT EXISTS {{database}}.purchases_daily_feed {{on_cluster}}
TO {{database}}.purchases_daily
AS SELECT
    toDate(occurred_at) AS day,
    product,
    toStartOfMonth(activated_on) AS cohort_month,
    country,
    plans,
    value_class,
    taxonomy_version,
    currency,
    count() AS purchases,
    sum(amount_micros) AS amount_micros,
    uniqCombined64State(household) AS households
FROM {{database}}.intent_events
WHERE order_id != ''
GROUP BY day, product, cohort_month, country, plans, value_class, taxonomy_version, currency;
