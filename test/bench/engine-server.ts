import { mkdir, writeFile } from 'node:fs/promises'
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

/** Before the stack starts: adds to the configuration that its ClickHouse will read (`services/local/clickhouse-server.ts`). */
export async function tuneKafkaEngine(dataDir: string): Promise<void> {
  const folder = join(dataDir, 'clickhouse', 'etc', 'config.d')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const lines = Object.entries(kafkaSettings).map(([name, value]) => `<${name}>${value}</${name}>`)
  await writeFile(join(folder, 'bench-kafka.xml'), `<clickhouse><kafka>${lines.join('')}</kafka></clickhouse>\n`)
}
