import { messageOf, mistake, PipelineError } from '../shared/domain/faults.ts'
import { certificateFault } from '../shared/io/certificates.ts'

export interface Endpoint {
  readonly url: string
  readonly user?: string | undefined
  readonly password?: string | undefined
  /** Until a request without an answer is given up; whether it was taken is then unknown. */
  readonly timeoutMs: number
}

/** Longest sentence of the other side that a message repeats. */
const sentenceMax = 300
/** An answer is read so far and no further: nobody sends alerts to be told a book. */
const answerBytesMax = 16_384
/** Shorter parts of an address are words like `api`, not secrets. */
const secretCharactersMin = 8

/** The body or size was refused: another one may be taken. Any other 4xx is about the address or the login. */
const refusedBodies = new Set([400, 413, 422])
const passingStatuses = new Set([408, 425, 429])

/**
 * A function that POSTs JSON and resolves when it was taken (2xx). One attempt. Faults, by code:
 * - `receiver_unreachable`, retryable: no connection, no answer in time, 408, 425, 429, 5xx
 * - `receiver_refused`, final: this body is refused (400, 413, 422), with the other side's own sentence
 * - `config_invalid`, final: address, login or certificate must be mended; redirects are not followed, a POST would become a GET
 *
 * Messages name scheme and host only: the path of a webhook is often its secret.
 */
export function createPoster(what: string, endpoint: Endpoint, path = ''): (body: unknown) => Promise<void> {
  const { target, origin, authorization, secrets } = address(what, endpoint, path)
  const where = `${what} at ${origin}`
  const headers = { 'content-type': 'application/json', ...(authorization === undefined ? {} : { authorization }) }

  return async (body) => {
    let response: Response
    try {
      response = await fetch(target, {
        method: 'POST',
        headers,
        body: JSON.stringify(body),
        redirect: 'manual',
        signal: AbortSignal.timeout(endpoint.timeoutMs),
      })
    } catch (thrown) {
      throw networkFault(where, thrown)
    }
    // Read to its end also when it was taken: the connection is then free for the next request.
    const text = await beginningOf(response)
    if (!response.ok) {
      throw statusFault(where, response.status, sentenceOf(text, secrets))
    }
  }
}

function networkFault(where: string, thrown: unknown): PipelineError {
  const certificate = certificateFault(thrown)
  if (certificate !== undefined) {
    return new PipelineError(`${where} can't be trusted: ${certificate}`, { code: 'config_invalid', cause: thrown })
  }
  // fetch says only "fetch failed"; what failed is its cause.
  const reason = thrown instanceof Error && thrown.cause !== undefined ? thrown.cause : thrown
  return new PipelineError(`${where} can't be reached: ${messageOf(reason)}`, {
    code: 'receiver_unreachable',
    retryable: true,
    cause: thrown,
  })
}

function statusFault(where: string, status: number, said: string): PipelineError {
  const answered = `${where} answered ${status}${said === '' ? '' : `: ${said}`}`
  if (status >= 500 || passingStatuses.has(status)) {
    return new PipelineError(answered, { code: 'receiver_unreachable', retryable: true })
  }
  if (refusedBodies.has(status)) {
    return new PipelineError(answered, { code: 'receiver_refused' })
  }
  const advice =
    status === 401 || status === 403
      ? 'check its user and password'
      : status < 400
        ? 'it is somewhere else, give that address'
        : 'check its address'
  return new PipelineError(`${answered}; ${advice}`, { code: 'config_invalid' })
}

async function beginningOf(response: Response): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  try {
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk as Uint8Array, { stream: true })
      bytes += (chunk as Uint8Array).byteLength
      if (bytes > answerBytesMax) {
        break
      }
    }
  } catch {
    // The status has come, and it alone decides; a body cut short says what it said.
  }
  return text
}

/** What an answer says, as one line. A secret is taken out before the line is cut, which could leave the half of it. */
function sentenceOf(text: string, secrets: readonly string[]): string {
  const bare = secrets.reduce((kept, secret) => kept.replaceAll(secret, '***'), messageIn(text))
  const line = bare.replace(/\s+/g, ' ').trim()
  return line.length > sentenceMax ? `${line.slice(0, sentenceMax)}…` : line
}

/** Alertmanager answers with a JSON text, or with an object that has a `message`. */
function messageIn(text: string): string {
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed === 'string') {
      return parsed
    }
    if (typeof parsed === 'object' && parsed !== null && 'message' in parsed && typeof parsed.message === 'string') {
      return parsed.message
    }
  } catch {
    // Not JSON: the text itself is the sentence.
  }
  return text
}

/** fetch refuses an address with credentials in it, and its refusal repeats them; so they are taken out and sent as a header. */
function address(what: string, { url, user, password }: Endpoint, path: string) {
  const parsed = URL.parse(url)
  if (parsed === null || !/^https?:$/.test(parsed.protocol)) {
    // Not repeated: what is no address may still hold the password of one.
    throw mistake(`the address of the ${what} is not a URL like http://host:port`, 'config_invalid')
  }
  const login = {
    user: user ?? decodeURIComponent(parsed.username),
    password: password ?? decodeURIComponent(parsed.password),
  }
  parsed.username = ''
  parsed.password = ''
  const encoded = Buffer.from(`${login.user}:${login.password}`).toString('base64')
  const parts = [...parsed.pathname.split('/'), ...parsed.searchParams.values()]
  const secrets = [encoded, login.password, ...parts.filter((part) => part.length >= secretCharactersMin)]
  parsed.pathname = `${parsed.pathname.replace(/\/+$/, '')}${path}`
  return {
    target: parsed.href,
    origin: parsed.origin,
    authorization: login.user === '' ? undefined : `Basic ${encoded}`,
    secrets: secrets.filter((secret) => secret !== ''),
  }
}
