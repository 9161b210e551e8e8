import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Real data, which lies beside the project and is never copied into it. */
export function sharedDataPath(file: string): string {
  return fileURLToPath(new URL(`../../../shared/data/${file}`, import.meta.url))
}

/** For a test's `skip`: false, or why it can't run. `REQUIRE_SHARED_DATA=1` turns the skip into a failure. */
export function sharedDataMissing(...files: readonly string[]): string | false {
  const absent = files.filter((file) => !existsSync(sharedDataPath(file)))
  if (absent.length === 0) {
    return false
  }
  const reason = `${absent.map((file) => `../shared/data/${file}`).join(', ')} is absent`
  if (process.env['REQUIRE_SHARED_DATA'] === '1') {
    throw new Error(`${reason}, and REQUIRE_SHARED_DATA=1 asks for it`)
  }
  return reason
}
