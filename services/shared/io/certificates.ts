import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'

import { messageOf, mistake } from '../domain/faults.ts'

/**
 * The certificate authority of one's own that a variable names, as PEM. Checked at the start: TLS itself would take a file of
 * anything and trust nobody. What the file holds is never repeated, for it may be a key that was named by mistake.
 */
export function readAuthority(file: string, variable: string): string {
  let pem: string
  try {
    pem = readFileSync(file, 'utf8')
  } catch (thrown) {
    const why = (thrown as NodeJS.ErrnoException).code ?? messageOf(thrown)
    throw mistake(`${variable} names ${file}, which can't be read (${why})`, 'config_invalid')
  }
  try {
    new X509Certificate(pem)
  } catch {
    throw mistake(`${variable} names ${file}, which holds no certificate in PEM`, 'config_invalid')
  }
  return pem
}

const untrusted = 'its certificate is not signed by an authority that is trusted here'

/** Codes of Node's TLS: https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const sentences: Record<string, string> = {
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  CERT_SIGNATURE_FAILURE: untrusted,
  CERT_UNTRUSTED: untrusted,
  INVALID_CA: untrusted,
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is made out to another host name',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'it speaks no version of TLS that is safe',
}

const causesMax = 5

/** What is wrong with the other side's certificate or TLS, as a sentence without its subject; undefined when it is nothing of that kind. */
export function certificateFault(thrown: unknown): string | undefined {
  let cause = thrown
  for (let depth = 0; depth < causesMax && cause instanceof Error; depth++) {
    const code = codeOf(cause)
    if (sentences[code] !== undefined) {
      return `${sentences[code]} (${code})`
    }
    cause = cause.cause
  }
  return undefined
}

/** OpenSSL's own faults in the middle of a handshake come as EPROTO, and only their text says which. */
function codeOf(error: Error): string {
  const code = 'code' in error ? String(error.code) : ''
  return code === 'EPROTO' && /wrong version number|packet length too long/.test(error.message)
    ? 'ERR_SSL_WRONG_VERSION_NUMBER'
    : code
}
