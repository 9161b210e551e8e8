-- Events whose class people have checked: what they said beside what the classifier said. With them a share is corrected for the
-- classifier's mistakes. One row an event; the latest `loaded_at` of an audit is the audit, so loaded again it replaces itself.
--
-- The class and its taxonomy version are copied from intent_events when the audit is loaded. An accepted row never changes its
-- class, and event ids have no index: joined at each question, every id of all events would be read.
CREATE TABLE IF NOT EXISTS {{database}}.audited_events {{on_cluster}}
(
    audit LowCardinality(String),
    loaded_at DateTime64(3, 'UTC'),
    drawn Enum8('random' = 1, 'by-strict-label' = 2, 'by-broad-label' = 3) COMMENT 'How the events were chosen: by-…-label: half of them each that the classifier calls so and does not',
    event_id FixedString(16),
    true_class Enum8('direct' = 1, 'assisted' = 2, 'entitlement' = 3, 'free' = 4, 'not_a_request' = 5) COMMENT 'What people said',
    value_class Enum8('direct' = 1, 'assisted' = 2, 'entitlement' = 3, 'free' = 4, 'not_a_request' = 5, 'unclassified' = 6) COMMENT 'What the classifier said',
    taxonomy_version UInt16,
    audited_by String COMMENT 'Who checked it; empty where the file does not say',
    audited_on Nullable(Date)
)
ENGINE = {{replicated}}MergeTree
ORDER BY (audit, loaded_at, event_id)
SETTINGS non_replicated_deduplication_window = {{dedup_window}}, replicated_deduplication_window = {{dedup_window}};

-- How far people and the classifier agreed, by audit and taxonomy version: counts of all audited events and nothing smaller. An
-- audit holds one event of a household, so fewer than 11 events are fewer than 11 households and are not shown.
--
--   SELECT * FROM intent_ledger_views.audited_samples ORDER BY loaded_at DESC
--
-- …_said   people call it monetised: strict is direct, broad adds assisted and entitlement
-- …_called the classifier does
-- …_both   both do
--
-- Events that the classifier calls no request are in no share, so they are not counted here.
CREATE VIEW IF NOT EXISTS {{views}}.audited_samples {{on_cluster}} DEFINER = pipeline SQL SECURITY DEFINER AS
SELECT
    toString(audit) AS audit,
    toString(any(drawn)) AS drawn,
    loaded_at,
    taxonomy_version,
    count() AS events,
    countIf(true_class = 'direct') AS strict_said,
    countIf(value_class = 'direct') AS strict_called,
    countIf(true_class = 'direct' AND value_class = 'direct') AS strict_both,
    countIf(true_class IN ('direct', 'assisted', 'entitlement')) AS broad_said,
    countIf(value_class IN ('direct', 'assisted', 'entitlement')) AS broad_called,
    countIf(true_class IN ('direct', 'assisted', 'entitlement') AND value_class IN ('direct', 'assisted', 'entitlement')) AS broad_both
FROM {{database}}.audited_events
WHERE value_class != 'not_a_request'
    AND (audit, loaded_at) IN (SELECT audit, max(loaded_at) FROM {{database}}.audited_events GROUP BY audit)
GROUP BY audit, loaded_at, taxonomy_version
HAVING events >= 11;
