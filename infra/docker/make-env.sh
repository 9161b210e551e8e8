#!/bin/sh
# Writes .env with fresh secrets for docker-compose.yml, readable by its owner only. Needs nothing but a POSIX shell.
# An .env that is there stays as it is: another HOUSEHOLD_KEY would make strangers of all known households.
set -eu

file="${1:-$(dirname "$0")/../../.env}"
if [ -e "$file" ]; then
    echo "$file is there already and stays as it is; remove it first to make new secrets" >&2
    exit 1
fi

secret() {
    od -An -v -N "$1" -t x1 /dev/urandom | tr -d ' \n'
}

umask 077
cat > "$file" <<END
CLICKHOUSE_PIPELINE_PASSWORD=$(secret 24)
CLICKHOUSE_STEWARD_PASSWORD=$(secret 24)
CLICKHOUSE_ANALYST_PASSWORD=$(secret 24)
HOUSEHOLD_KEY=$(secret 32)
END
echo "wrote $file: three passwords of ClickHouse and the key of the household pseudonyms; keep it"
