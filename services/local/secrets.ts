import { createHash, randomBytes } from 'node:crypto'
import { link, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { messageOf, mistake } from '../shared/domain/faults.ts'

const secretsFormat = z.strictObject({
  pipelinePassword: z.string().min(16),
  stewardPassword: z.string().min(16),
  analystPassword: z.string().min(16),
  /** Key of the HMAC that makes household and device pseudonyms, hex. A second run on the folder knows the same households. */
  householdKey: z.string().regex(/^[0-9a-f]{64}$/),
})

export type StackSecrets = z.infer<typeof secretsFormat>

/** The folder's secrets: made once, readable by their owner only. Losing the file means other pseudonyms and other passwords. */
export async function loadSecrets(dataDir: string): Promise<StackSecrets> {
  const file = join(dataDir, 'secrets.json')
  const text = (await readIfThere(file)) ?? (await makeSecrets(file))
  try {
    return secretsFormat.parse(JSON.parse(text))
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error)
    throw mistake(
      `the secrets of this data folder can't be read from ${file} (${why}): restore the file or use another data folder`,
      'file_invalid',
    )
  }
}

/** What infra/clickhouse/users.xml reads: SHA-256 in hex, so that the server's own files never hold a plain password. */
export function passwordHashes(secrets: StackSecrets): Record<string, string> {
  return {
    CLICKHOUSE_PIPELINE_PASSWORD_SHA256: sha256Hex(secrets.pipelinePassword),
    CLICKHOUSE_STEWARD_PASSWORD_SHA256: sha256Hex(secrets.stewardPassword),
    CLICKHOUSE_ANALYST_PASSWORD_SHA256: sha256Hex(secrets.analystPassword),
  }
}

/** Written aside and linked into place: a crash leaves no half file, and a file that is there is never replaced. */
async function makeSecrets(file: string): Promise<string> {
  const secrets: StackSecrets = {
    pipelinePassword: randomBytes(24).toString('base64url'),
    stewardPassword: randomBytes(24).toString('base64url'),
    analystPassword: randomBytes(24).toString('base64url'),
    householdKey: randomBytes(32).toString('hex'),
  }
  const aside = `${file}.new`
  await rm(aside, { force: true })
  await writeFile(aside, `${JSON.stringify(secrets, undefined, 2)}\n`, { mode: 0o600, flush: true, flag: 'wx' })
  await link(aside, file)
  await rm(aside)
  return readFile(file, 'utf8')
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function sha256Hex(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
