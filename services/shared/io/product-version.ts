import { readFileSync } from 'node:fs'
import { join } from 'node:path'

const manifest = join(import.meta.dirname, '../../../package.json')

/** The version in package.json, for `--version` and for what must be traced back to the code that made it. */
export const productVersion = (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version
