-- What the households of the requests buy, own, and were drawn into: three more streams of the same pipeline. Duplicates, rejected
-- messages and ledger stand in the tables of 0001: every row there has its topic. Without roll-ups: a household has a few rows a year.
-- Not partitioned: they are backfilled in any order, and a batch that spans ten years would be 120 parts.

-- Lines of orders, and refunds as rows of their own with negative amounts.
CREATE TABLE IF NOT EXISTS {{database}}.ecosystem_orders {{on_cluster}}
(
    event_id FixedString(16),
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    household UInt64,
    order_id String,
    line LowCardinality(String),
    revenue_micros Int64,
    margin_micros Int64,
    currency LowCardinality(String),
    claim_products Array(LowCardinality(String)) COMMENT 'The products that claim the order, as it was sent; a product may stand twice',
    claim_grounds Array(LowCardinality(String)),
    claim_touched_at Array(DateTime64(3, 'UTC')),
    topic_id UUID,
    partition UInt32,
    kafka_offset UInt64 CODEC(Delta, ZSTD(1)),
    recorded_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    INDEX by_time occurred_at TYPE minmax GRANULARITY 1
)
ENGINE = {{replicated}}MergeTree
ORDER BY (topic_id, partition, kafka_offset)
SETTINGS non_replicated_deduplication_window = {{dedup_window}}, replicated_deduplication_window = {{dedup_window}};

-- A device that was given back has a second row.
CREATE TABLE IF NOT EXISTS {{database}}.device_activations {{on_cluster}}
(
    event_id FixedString(16),
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    device UInt64,
    household UInt64,
    product LowCardinality(String),
    device_model LowCardinality(String),
    country LowCardinality(String),
    activated_on Date,
    price_paid_micros Int64,
    cost_of_goods_micros Int64,
    currency LowCardinality(String),
    returned Bool,
    topic_id UUID,
    partition UInt32,
    kafka_offset UInt64 CODEC(Delta, ZSTD(1)),
    recorded_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    INDEX by_time occurred_at TYPE minmax GRANULARITY 1
)
ENGINE = {{replicated}}MergeTree
ORDER BY (topic_id, partition, kafka_offset)
SETTINGS non_replicated_deduplication_window = {{dedup_window}}, replicated_deduplication_window = {{dedup_window}};

-- Who was offered a product and from whom it was withheld, by lot.
CREATE TABLE IF NOT EXISTS {{database}}.experiment_arms {{on_cluster}}
(
    event_id FixedString(16),
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    household UInt64,
    experiment LowCardinality(String),
    product LowCardinality(String),
    arm Enum8('treatment' = 1, 'holdout' = 2),
    share_millionths UInt32,
    from_day Date,
    to_day Date,
    topic_id UUID,
    partition UInt32,
    kafka_offset UInt64 CODEC(Delta, ZSTD(1)),
    recorded_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    INDEX by_time occurred_at TYPE minmax GRANULARITY 1
)
ENGINE = {{replicated}}MergeTree
ORDER BY (topic_id, partition, kafka_offset)
SETTINGS non_replicated_deduplication_window = {{dedup_window}}, replicated_deduplication_window = {{dedup_window}};
