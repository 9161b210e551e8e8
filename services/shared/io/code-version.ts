import { createHash } from 'node:crypto'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { productVersion } from './product-version.ts'

const root = join(import.meta.dirname, '../../..')

/**
 * Names the code that decides fates and rows by its content, for a clone and an image without git alike: the package's version,
 * then the first 12 hex digits of the SHA-256 of every file that services share.
 */
export function codeVersion(): string {
  const hash = createHash('sha256')
  for (const file of globSync('services/shared/**/*.ts', { cwd: root }).sort()) {
    hash.update(`${file}\n`).update(readFileSync(join(root, file)))
  }
  return `${productVersion}+${hash.digest('hex').slice(0, 12)}`
}
