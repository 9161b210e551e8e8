import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * librdkafka's queues and fetches, larger than its defaults (100,000 messages, 64 MB, 1 MB): the consumers shall never wait for
 * the broker. ClickHouse takes these from its configuration alone, and the project's own knows no Kafka.
 */
const kafkaSettings = {
  queued_min_messages: 500_000,
  queued_max_messages_kbytes: 262_144,
  fetch_message_max_bytes: 8_388_608,
  fetch_max_bytes: 67_108_864,
  receive_message_max_bytes: 134_217_728,
}

/** The pipeline's own user may neither make a Kafka table nor change a column: the other contenders log in as this one. */
export const rivalUser = 'bench'
const usersFile = join(import.meta.dirname, '../../infra/clickhouse/users.xml')
/** It has the pipeline's password; `services/local/clickhouse-server.ts` hands that over. */
const rivalXml = `<${rivalUser}>
  <password_sha256_hex from_env="CLICKHOUSE_PIPELINE_PASSWORD_SHA256"/>
  <networks><ip>127.0.0.1</ip></networks>
  <profile>pipeline</profile>
  <quota>default</quota>
  <grants>
    <query>GRANT SELECT, INSERT, CREATE, ALTER, DROP ON intent_ledger_bench*.*</query>
    <query>GRANT TABLE ENGINE ON *</query>
    <query>GRANT KAFKA ON *.*</query>
  </grants>
</${rivalUser}>`

/** Before the stack starts: adds to the configuration and the users that its ClickHouse will read. */
export async function tuneKafkaEngine(dataDir: string): Promise<void> {
  const folder = join(dataDir, 'clickhouse', 'etc', 'config.d')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const users = join(dataDir, 'clickhouse', 'etc', 'bench-users.xml')
  await writeFile(users, (await readFile(usersFile, 'utf8')).replace('</users>', `${rivalXml}</users>`))
  const lines = Object.entries(kafkaSettings).map(([name, value]) => `<${name}>${value}</${name}>`)
  await writeFile(
    join(folder, 'bench.xml'),
    `<clickhouse><kafka>${lines.join('')}</kafka><users_config replace="replace">${users}</users_config></clickhouse>\n`,
  )
}
