-- What `redrive` did with rejected messages. Rows are only added; services/redrive/README.md has the protocol.
--
-- A message is planned before it is sent, so that a run that was killed in between is noticed by the next one. An attempt is
-- one transaction of Kafka: all of its messages stand in the log, or none.
--
-- planned   about to be sent; to_offset is an offset that the copy can't stand below
-- sent      it stands in the log again, at to_offset
-- not_sent  the attempt did not reach the log: the message may be planned again
-- unknown   retention has deleted what would tell, or the topic was made anew: it is never sent again
CREATE TABLE IF NOT EXISTS {{database}}.redriven_events {{on_cluster}}
(
    state Enum8('planned' = 1, 'sent' = 2, 'not_sent' = 3, 'unknown' = 4),
    attempt UUID,
    topic LowCardinality(String),
    topic_id UUID COMMENT 'With partition and kafka_offset: the rejected message',
    partition UInt32 COMMENT 'The copy stands in the same one',
    kafka_offset UInt64,
    to_topic_id UUID,
    to_offset UInt64,
    at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = {{replicated}}MergeTree
ORDER BY (topic_id, partition, kafka_offset)
SETTINGS non_replicated_deduplication_window = {{dedup_window}}, replicated_deduplication_window = {{dedup_window}};
