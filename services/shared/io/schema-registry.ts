import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { z } from 'zod'

import { parseSchema } from '../domain/avro-schema.ts'
import { messageOf, mistake, PipelineError } from '../domain/faults.ts'
import { checkAvroSchema } from './avro.ts'
import { canonicalHash } from './canonical-hash.ts'

/** The registry file that ships with the project. */
export const registryFile = join(import.meta.dirname, '../../../schemas/registry.json')

export interface RegisteredSchema {
  readonly id: number
  readonly json: unknown
  readonly node: ReturnType<typeof parseSchema>
  readonly fingerprint: string
}

/** Writer schemas by id. */
export interface SchemaRegistry {
  /** The schema, or why there is none. A registry that can't be reached is a retryable fault, never an answer. */
  schema(id: number): Promise<RegisteredSchema | { fault: string }>
}

/** The registry that the settings name; the file that ships when they name none. */
export function openRegistry(settings: {
  readonly SCHEMA_REGISTRY_URL: string | undefined
  readonly SCHEMA_REGISTRY_USER: string | undefined
  readonly SCHEMA_REGISTRY_PASSWORD: string | undefined
}): SchemaRegistry {
  return settings.SCHEMA_REGISTRY_URL === undefined
    ? openFileRegistry()
    : openHttpRegistry({
        url: settings.SCHEMA_REGISTRY_URL,
        user: settings.SCHEMA_REGISTRY_USER,
        password: settings.SCHEMA_REGISTRY_PASSWORD,
      })
}

const fileSchema = z.strictObject({
  subjects: z.record(
    z.string(),
    z.array(z.strictObject({ id: z.int().min(0), version: z.int().min(1), file: z.string() })),
  ),
})

/** The registry file: ids, subjects, versions and the files with the schemas. Read and checked whole at once. */
export function openFileRegistry(file = registryFile): SchemaRegistry {
  const schemas = new Map<number, RegisteredSchema>()
  for (const entry of registryEntries(file)) {
    const path = join(dirname(file), entry.file)
    if (schemas.has(entry.id)) {
      throw mistake(`${file}: id ${entry.id} is given twice`, 'file_invalid')
    }
    schemas.set(entry.id, toRegistered(entry.id, readJson(path), path))
  }
  return { schema: (id) => Promise.resolve(schemas.get(id) ?? { fault: `id ${id} is not registered` }) }
}

export interface RegistryEntry {
  readonly subject: string
  readonly id: number
  readonly version: number
  readonly file: string
}

export function registryEntries(file = registryFile): RegistryEntry[] {
  const parsed = fileSchema.safeParse(readJson(file))
  if (!parsed.success) {
    throw mistake(`${file}: ${z.prettifyError(parsed.error)}`, 'file_invalid')
  }
  return Object.entries(parsed.data.subjects).flatMap(([subject, entries]) =>
    entries.map((entry) => ({ subject, ...entry })),
  )
}

const answerSchema = z.object({
  schema: z.string(),
  schemaType: z.string().optional(),
  references: z.array(z.unknown()).optional(),
})

/** https://docs.confluent.io/platform/current/schema-registry/develop/api.html: "Error code 40403 – Schema not found". */
const notFoundSchema = z.object({ error_code: z.literal(40_403) })

const registryIdMax = 2 ** 31 - 1

export interface HttpRegistryOptions {
  readonly url: string
  readonly user?: string | undefined
  readonly password?: string | undefined
  readonly timeoutMs?: number
  /** How long "no such id" is believed before the registry is asked again. */
  readonly unknownForMs?: number
}

/**
 * A Confluent-compatible registry over HTTP: `GET /schemas/ids/{id}`. Schemas never change under their id, so they are kept
 * for good. 404 with error code 40403 is an answer (the id is unknown); anything else that is not a schema is an outage.
 */
export function openHttpRegistry(options: HttpRegistryOptions): SchemaRegistry {
  const kept = new Map<number, RegisteredSchema>()
  const unknownUntil = new Map<number, number>()
  const { base, user, password } = address(options)
  const headers: Record<string, string> = { accept: 'application/vnd.schemaregistry.v1+json' }
  if (user !== '') {
    headers['authorization'] = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  }

  async function ask(id: number): Promise<RegisteredSchema | { fault: string }> {
    const where = `schema registry at ${base}`
    let response: Response
    try {
      response = await fetch(`${base}/schemas/ids/${id}`, {
        headers,
        signal: AbortSignal.timeout(options.timeoutMs ?? 10_000),
      })
    } catch (thrown) {
      // fetch says only "fetch failed"; what failed is its cause.
      const reason = thrown instanceof Error && thrown.cause !== undefined ? thrown.cause : thrown
      throw new PipelineError(`${where} can't be reached: ${messageOf(reason)}`, {
        code: 'registry_unreachable',
        retryable: true,
        cause: thrown,
      })
    }
    const body: unknown = await response.json().catch(() => undefined)
    // Only the registry's own "schema not found" is an answer. A 404 of a proxy or of a wrong path must not reject every event.
    if (response.status === 404 && notFoundSchema.safeParse(body).success) {
      return { fault: `id ${id} is not registered` }
    }
    if (response.status === 401 || response.status === 403) {
      throw new PipelineError(
        `${where} refused the login (${response.status}): check SCHEMA_REGISTRY_USER and SCHEMA_REGISTRY_PASSWORD`,
        {
          code: 'registry_refused',
        },
      )
    }
    const answer = answerSchema.safeParse(response.ok ? body : undefined)
    if (!answer.success) {
      throw new PipelineError(`${where} answered ${response.status} without a schema for id ${id}`, {
        code: 'registry_unreachable',
        retryable: true,
      })
    }
    if ((answer.data.schemaType ?? 'AVRO') !== 'AVRO') {
      return { fault: `id ${id} is ${answer.data.schemaType}, not Avro` }
    }
    try {
      return toRegistered(id, JSON.parse(answer.data.schema) as unknown, `id ${id}`)
    } catch (thrown) {
      return { fault: `id ${id} is no schema that can be read: ${messageOf(thrown)}` }
    }
  }

  return {
    async schema(id) {
      const known = kept.get(id)
      if (known !== undefined) {
        return known
      }
      // A registry's ids have 31 bits. Asked for more it does not say "no such schema" but "no such page", which is an outage to
      // us: four bytes of nonsense in one message would hold up its partition.
      if (id > registryIdMax || (unknownUntil.get(id) ?? 0) > Date.now()) {
        return { fault: `id ${id} is not registered` }
      }
      const answer = await ask(id)
      if ('fault' in answer) {
        if (unknownUntil.size > 10_000) {
          unknownUntil.clear()
        }
        unknownUntil.set(id, Date.now() + (options.unknownForMs ?? 10_000))
      } else {
        kept.set(id, answer)
      }
      return answer
    },
  }
}

/** fetch refuses an address with credentials in it, and its refusal repeats them; so they are taken out and sent as a header. */
function address({ url, user, password }: HttpRegistryOptions): { base: string; user: string; password: string } {
  const parsed = new URL(url)
  const fromUrl = { user: decodeURIComponent(parsed.username), password: decodeURIComponent(parsed.password) }
  parsed.username = ''
  parsed.password = ''
  return {
    base: parsed.href.replace(/\/+$/, ''),
    user: user ?? fromUrl.user,
    password: password ?? fromUrl.password,
  }
}

function toRegistered(id: number, json: unknown, where: string): RegisteredSchema {
  try {
    checkAvroSchema(json)
    return { id, json, node: parseSchema(json), fingerprint: canonicalHash(json) }
  } catch (thrown) {
    throw mistake(`${where} is not an Avro schema: ${messageOf(thrown)}`, 'file_invalid')
  }
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (thrown) {
    throw mistake(`${file} can't be read as JSON: ${messageOf(thrown)}`, 'file_invalid')
  }
}
