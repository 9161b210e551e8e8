-- The tables that the pipeline writes. {{...}} are settings, see README.md in this folder.

CREATE DATABASE IF NOT EXISTS {{database}} {{on_cluster}};

-- Accepted events, in the order of the log: topic_id, partition and kafka_offset say where a row came from. Batches are ranges
-- of the log that never overlap, so a merge copies whole runs: 0.5 CPU s per million rows and pass, where an order by hour,
-- intent and country takes 1.5 (and 8 % more disk). A range of offsets is read by the key, a time through the index: time rises
-- with the offset but for events that come late.
CREATE TABLE IF NOT EXISTS {{database}}.intent_events {{on_cluster}}
(
    event_id FixedString(16) CODEC(NONE),
    occurred_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    device UInt64 CODEC(LZ4),
    household UInt64 CODEC(LZ4),
    product LowCardinality(String),
    device_model LowCardinality(String),
    activated_on Date,
    country LowCardinality(String),
    locale LowCardinality(String),
    plans LowCardinality(String) COMMENT 'Plans held, sorted, joined by commas; empty for none',
    intent LowCardinality(String),
    outcome Enum8('fulfilled' = 0, 'failed' = 1, 'not_understood' = 2, 'abandoned' = 3),
    latency_ms UInt32,
    order_id String,
    amount_micros Int64,
    currency LowCardinality(String),
    app_version LowCardinality(String),
    skill_id LowCardinality(String),
    value_class Enum8('direct' = 1, 'assisted' = 2, 'entitlement' = 3, 'free' = 4, 'not_a_request' = 5, 'unclassified' = 6),
    rule_id LowCardinality(String),
    taxonomy_version UInt16,
    topic_id UUID,
    partition UInt32,
    kafka_offset UInt64 CODEC(Delta, ZSTD(1)),
    recorded_at DateTime64(3, 'UTC') CODEC(Delta, ZSTD(1)),
    INDEX by_time occurred_at TYPE minmax GRANULARITY 1
)
ENGINE = {{replicated}}MergeTree
PARTITION BY toYYYYMM(occurred_at)
ORDER BY (topic_id, partition, kafka_offset)
SETTINGS
    -- A batch is a compact part: one file of all columns instead of two a column. The first merges make wide ones.
    min_bytes_for_wide_part = 134217728,
    -- Parts are merged ten at a time, not five: a batch is no small part.
    merge_selector_base = 10,
    -- A seventh less disk than LZ4, for no CPU that could be measured. On ids and pseudonyms, which are nearly random, it would take some.
    default_compression_codec = 'ZSTD(1)',
    non_replicated_deduplication_window = {{dedup_window}},
    replicated_deduplication_window = {{dedup_window}};

-- Later copies of an event. Kept with their offsets, so that the memory of ids can be rebuilt from rows alone.
CREATE TABLE IF NOT EXISTS {{database}}.duplicate_events {{on_cluster}}
(
    topic_id UUID,
    partition UInt32,
    kafka_offset UInt64,
    event_id FixedString(16),
    recorded_at DateTime64(3, 'UTC')
)
ENGINE = {{replicated}}MergeTree
ORDER BY (topic_id, partition, kafka_offset)
SETTINGS non_replicated_deduplication_window = {{dedup_window}}, replicated_deduplication_window = {{dedup_window}};

-- Messages that are no events, with their bytes and the reason. Not partitioned: their times can't be trusted.
CREATE TABLE IF NOT EXISTS {{database}}.rejected_events {{on_cluster}}
(
    topic LowCardinality(String),
    topic_id UUID,
    partition UInt32,
    kafka_offset UInt64,
    recorded_at DateTime64(3, 'UTC'),
    reason LowCardinality(String),
    detail LowCardinality(String) COMMENT 'The field, schema id or size that the reason speaks of',
    key Nullable(String),
    value Nullable(String) COMMENT 'The message as it stood in the log'
)
ENGINE = {{replicated}}MergeTree
ORDER BY (topic_id, partition, kafka_offset)
SETTINGS non_replicated_deduplication_window = {{dedup_window}}, replicated_deduplication_window = {{dedup_window}};

-- The ledger: one row a batch, written last. Offset sums are modulo 2^64, so that one loss and one doubling can't cancel.
CREATE TABLE IF NOT EXISTS {{database}}.ingest_batches {{on_cluster}}
(
    stream LowCardinality(String) DEFAULT 'assistant-intents' COMMENT 'What the messages of the topic are',
    topic LowCardinality(String),
    topic_id UUID,
    partition UInt32,
    first_offset UInt64,
    last_offset UInt64,
    accepted UInt64,
    duplicate UInt64,
    rejected UInt64,
    erased UInt64,
    no_message UInt64 COMMENT 'Offsets that held no message: transaction markers, aborted or compacted records',
    expired UInt64 COMMENT 'Offsets that retention deleted before they were read: a loss',
    accepted_offset_sum UInt64,
    duplicate_offset_sum UInt64,
    rejected_offset_sum UInt64,
    event_time_low Nullable(DateTime64(3, 'UTC')),
    event_time_high Nullable(DateTime64(3, 'UTC')),
    record_time_low Nullable(DateTime64(3, 'UTC')),
    record_time_high Nullable(DateTime64(3, 'UTC')),
    taxonomy_version UInt16,
    token String,
    inserted_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = {{replicated}}MergeTree
ORDER BY (topic_id, partition, first_offset)
SETTINGS non_replicated_deduplication_window = {{dedup_window}}, replicated_deduplication_window = {{dedup_window}};
