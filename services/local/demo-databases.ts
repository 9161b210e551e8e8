import { createClickHouse } from '../shared/io/clickhouse.ts'
import { viewsDatabase } from '../shared/io/settings.ts'
import type { LocalStack } from './stack.ts'

/** Drops the databases of earlier demos, which begin with the prefix of one, and nothing else. */
export async function dropDemoDatabases(
  { clickhouseUrl, secrets }: Pick<LocalStack, 'clickhouseUrl' | 'secrets'>,
  prefix: string,
): Promise<void> {
  const steward = createClickHouse({ url: clickhouseUrl, user: 'steward', password: secrets.stewardPassword })
  try {
    const found = await steward.rows<{ name: string }>(
      'SELECT name FROM system.databases WHERE startsWith(name, {demo:String}) OR startsWith(name, {views:String})',
      { demo: prefix, views: viewsDatabase(prefix) },
    )
    for (const { name } of found) {
      await steward.command(`DROP DATABASE ${name}`)
    }
  } finally {
    await steward.close()
  }
}
