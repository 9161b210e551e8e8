import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** The real utterances, which lie beside the project and are never copied into it. */
export const slurpPath = fileURLToPath(new URL('../../../shared/data/slurp-utterances.csv', import.meta.url))

/** For a test's `skip`: false, or why it can't run. `REQUIRE_SHARED_DATA=1` turns the skip into a failure. */
export function slurpMissing(): string | false {
  if (existsSync(slurpPath)) {
    return false
  }
  const reason = '../shared/data/slurp-utterances.csv is absent'
  if (process.env['REQUIRE_SHARED_DATA'] === '1') {
    throw new Error(`${reason}, and REQUIRE_SHARED_DATA=1 asks for it`)
  }
  return reason
}
