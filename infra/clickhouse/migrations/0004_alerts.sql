-- What the alerts saw, judged and told. Every insert carries a token, so a tick that is done again after a crash stores nothing twice.

-- The sums that a tick judged by, kept when a window is judged for the first time: late events change the roll-ups afterwards, and
-- a backtest must see what the live run saw. `series` says which sums (measure, filter, by, mix, window), `cells` holds them as JSON.
CREATE TABLE IF NOT EXISTS {{database}}.alert_inputs {{on_cluster}}
(
    series String,
    window_start DateTime64(3, 'UTC'),
    taxonomy_version UInt16,
    cells String CODEC(ZSTD(3)),
    requests UInt64 COMMENT 'All denominators together: against the roll-ups of today they tell how much came late',
    seen_at DateTime64(3, 'UTC')
)
ENGINE = {{replicated}}MergeTree
PARTITION BY toYYYYMM(window_start)
ORDER BY (series, window_start)
SETTINGS index_granularity = 64, non_replicated_deduplication_window = {{dedup_window}}, replicated_deduplication_window = {{dedup_window}};

-- One row a rule and window that was judged live, written after its transitions: what it says was done is all there.
CREATE TABLE IF NOT EXISTS {{database}}.alert_ticks {{on_cluster}}
(
    rule LowCardinality(String),
    window_start DateTime64(3, 'UTC'),
    rule_hash FixedString(16),
    cohorts UInt32,
    insufficient UInt32,
    firing UInt32,
    states String COMMENT 'JSON: cohort to state, where the next tick goes on' CODEC(ZSTD(3)),
    judged_at DateTime64(3, 'UTC')
)
ENGINE = {{replicated}}MergeTree
PARTITION BY toYYYYMM(window_start)
ORDER BY (rule, window_start)
SETTINGS non_replicated_deduplication_window = {{dedup_window}}, replicated_deduplication_window = {{dedup_window}};

-- A transition is its rule, window, cohort and new status: one that is stored again, with others than before after a crash, is the
-- same row. Read with FINAL.
CREATE TABLE IF NOT EXISTS {{database}}.alert_transitions {{on_cluster}}
(
    rule LowCardinality(String),
    cohort String COMMENT 'JSON array, in the order of the rule''s by; null for the rule as a whole',
    fingerprint FixedString(16),
    window_start DateTime64(3, 'UTC'),
    window_end DateTime64(3, 'UTC'),
    from_status LowCardinality(String),
    to_status LowCardinality(String),
    starts_at Nullable(DateTime64(3, 'UTC')) COMMENT 'Of the firing that this begins or ends',
    labels Map(LowCardinality(String), String),
    annotations Map(LowCardinality(String), String),
    finding String COMMENT 'JSON: the numbers' CODEC(ZSTD(3)),
    recorded_at DateTime64(3, 'UTC')
)
ENGINE = {{replicated}}ReplacingMergeTree
PARTITION BY toYYYYMM(window_start)
ORDER BY (rule, window_start, cohort, to_status)
SETTINGS non_replicated_deduplication_window = {{dedup_window}}, replicated_deduplication_window = {{dedup_window}};

CREATE TABLE IF NOT EXISTS {{database}}.alert_deliveries {{on_cluster}}
(
    receiver LowCardinality(String),
    fingerprint FixedString(16),
    starts_at DateTime64(3, 'UTC'),
    status LowCardinality(String),
    delivered_at DateTime64(3, 'UTC')
)
ENGINE = {{replicated}}MergeTree
PARTITION BY toYYYYMM(starts_at)
ORDER BY (receiver, fingerprint, starts_at, status)
SETTINGS non_replicated_deduplication_window = {{dedup_window}}, replicated_deduplication_window = {{dedup_window}};
