#!/bin/sh
# Grants each of our users what it needs on a broker with secure.properties, and nothing more:
#
#   sh infra/kafka/acls.sh --bootstrap-server kafka:9093 --command-config admin.properties
#
# kafka-acls.sh of Kafka's own bin/ must be in the path; the arguments go to it as they are. Safe to run again.
# KAFKA_TOPIC and KAFKA_GROUP are the names that the services use.
set -eu

topic=${KAFKA_TOPIC:-assistant-intents}
group=${KAFKA_GROUP:-intent-ledger-classifier}

# Split at blanks where it is used: several arguments are kept in one variable.
connection=$*

grant() {
    user=$1
    shift
    # shellcheck disable=SC2086
    kafka-acls.sh $connection --add --force --allow-principal "User:$user" "$@"
}

# Write, Read, Alter and Delete each include Describe.

# migrate: makes the topic and adds partitions. It reads and writes no message and deletes nothing.
grant migrator --operation Create --operation Alter --topic "$topic"

# simulate, import: writes to the topic. It reads nothing.
grant producer --operation Write --topic "$topic"

# classify, audit: reads the topic as the group. It writes nothing but the group's offsets.
grant classifier --operation Read --topic "$topic"
grant classifier --operation Read --group "$group"

# replay run: as a classifier, in a group of the replay's own.
grant classifier --operation Read --group "$group-replay-" --resource-pattern-type prefixed

# redrive: sends to the topic in transactions of its own name, and looks there for what an earlier run has sent.
grant redriver --operation Read --operation Write --topic "$topic"
grant redriver --operation Write --transactional-id intent-ledger-redrive- --resource-pattern-type prefixed

# repair: reads ranges again, in groups of its own that it deletes, and sees that no classifier is running.
grant steward --operation Read --topic "$topic"
grant steward --operation Describe --group "$group"
grant steward --operation Read --operation Delete --group intent-ledger-reread- --resource-pattern-type prefixed

# replay drop: forgets the group of a replay.
grant steward --operation Describe --operation Delete --group "$group-replay-" --resource-pattern-type prefixed
