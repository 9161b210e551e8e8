#!/bin/sh
# Grants each of our users what it needs on a broker with secure.properties, and nothing more:
#
#   sh infra/kafka/acls.sh --bootstrap-server kafka:9093 --command-config admin.properties
#
# kafka-acls.sh of Kafka's own bin/ must be in the path; the arguments go to it as they are. Safe to run again.
# KAFKA_TOPIC_PREFIX is the one that the services use, KAFKA_TOPIC and KAFKA_GROUP the names that they have for the requests.
set -eu

prefix=${KAFKA_TOPIC_PREFIX:-}

# Split at blanks where it is used: several arguments are kept in one variable.
connection=$*

grant() {
    user=$1
    shift
    # shellcheck disable=SC2086
    kafka-acls.sh $connection --add --force --allow-principal "User:$user" "$@"
}

# Write, Read, Alter and Delete each include Describe.

# What the services do with one stream's topic and the group of its classifiers.
grant_stream() {
    topic=$1
    group=$2

    # migrate: makes the topic and adds partitions. It reads and writes no message and deletes nothing.
    grant migrator --operation Create --operation Alter --topic "$topic"

    # simulate, import: writes to the topic. It reads nothing.
    grant producer --operation Write --topic "$topic"

    # classify, audit: reads the topic as the group. It writes nothing but the group's offsets.
    grant classifier --operation Read --topic "$topic"
    grant classifier --operation Read --group "$group"

    # redrive: sends to the topic in transactions of its own name, and looks there for what an earlier run has sent.
    grant redriver --operation Read --operation Write --topic "$topic"

    # repair: reads ranges again, in groups of its own that it deletes, and sees that no classifier is running.
    grant steward --operation Read --topic "$topic"
    grant steward --operation Describe --group "$group"
}

requests_group=${KAFKA_GROUP:-${prefix}intent-ledger-classifier}
grant_stream "${KAFKA_TOPIC:-${prefix}assistant-intents}" "$requests_group"
for stream in ecosystem-orders device-activations experiment-arms; do
    grant_stream "$prefix$stream" "${prefix}intent-ledger-classifier-$stream"
done
grant redriver --operation Write --transactional-id intent-ledger-redrive- --resource-pattern-type prefixed
grant steward --operation Read --operation Delete --group intent-ledger-reread- --resource-pattern-type prefixed

# replay run: as a classifier, in a group of the replay's own. replay drop: forgets that group.
grant classifier --operation Read --group "$requests_group-replay-" --resource-pattern-type prefixed
grant steward --operation Describe --operation Delete --group "$requests_group-replay-" --resource-pattern-type prefixed
