#!/bin/sh
# Start of the ClickHouse container: takes the plain passwords out of the environment, puts their SHA-256 in (what
# infra/clickhouse/users.xml reads), and goes on with the command given.
set -eu

hash_of() {
    if [ -z "$2" ]; then
        echo "$1 is not set: run sh infra/docker/make-env.sh, which writes it into .env" >&2
        exit 1
    fi
    printf '%s' "$2" | sha256sum | cut -c 1-64
}

CLICKHOUSE_PIPELINE_PASSWORD_SHA256=$(hash_of CLICKHOUSE_PIPELINE_PASSWORD "${CLICKHOUSE_PIPELINE_PASSWORD:-}")
CLICKHOUSE_STEWARD_PASSWORD_SHA256=$(hash_of CLICKHOUSE_STEWARD_PASSWORD "${CLICKHOUSE_STEWARD_PASSWORD:-}")
CLICKHOUSE_ANALYST_PASSWORD_SHA256=$(hash_of CLICKHOUSE_ANALYST_PASSWORD "${CLICKHOUSE_ANALYST_PASSWORD:-}")
export CLICKHOUSE_PIPELINE_PASSWORD_SHA256 CLICKHOUSE_STEWARD_PASSWORD_SHA256 CLICKHOUSE_ANALYST_PASSWORD_SHA256
unset CLICKHOUSE_PIPELINE_PASSWORD CLICKHOUSE_STEWARD_PASSWORD CLICKHOUSE_ANALYST_PASSWORD

exec "$@"
