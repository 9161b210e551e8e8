/**
 * Certificates made in the test, so that nothing secret stands in the project and nothing but Node is needed. Node makes keys
 * and signatures but no certificates, so their structure (RFC 5280) is written here: an authority, and what it signs.
 */
import { generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto'

export interface Certificate {
  /** The certificate in PEM. */
  readonly certificate: string
  /** Its private key in PEM, PKCS #8. */
  readonly key: string
}

export interface Authority extends Certificate {
  issue(options: {
    name: string
    addresses?: readonly string[]
    hosts?: readonly string[]
    validForMs?: number
  }): Certificate
}

const dayMs = 86_400_000

export function createAuthority(name: string): Authority {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const own = makeCertificate({
    ...{ issuer: name, subject: name, publicKey: keys.publicKey, signWith: keys.privateKey, validForMs: dayMs },
    extensions: [
      extension('551d13', true, sequence(tlv(0x01, Buffer.from([0xff])))),
      // keyCertSign
      extension('551d0f', true, tlv(0x03, Buffer.from([2, 0x04]))),
    ],
  })
  return {
    certificate: own,
    key: toPem(keys.privateKey),
    issue({ name: subject, addresses = [], hosts = [], validForMs = dayMs }) {
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const names = [
        ...hosts.map((host) => tlv(0x82, Buffer.from(host))),
        ...addresses.map((address) => tlv(0x87, Buffer.from(address.split('.').map(Number)))),
      ]
      const certificate = makeCertificate({
        ...{ issuer: name, subject, publicKey, signWith: keys.privateKey, validForMs },
        extensions: [
          // digitalSignature; server and client authentication
          extension('551d0f', true, tlv(0x03, Buffer.from([7, 0x80]))),
          extension('551d25', false, sequence(oid('2b06010505070301'), oid('2b06010505070302'))),
          extension('551d11', false, sequence(...names)),
        ],
      })
      return { certificate, key: toPem(privateKey) }
    },
  }
}

function makeCertificate(options: {
  issuer: string
  subject: string
  publicKey: KeyObject
  signWith: KeyObject
  /** Negative: it has expired. */
  validForMs: number
  extensions: readonly Buffer[]
}): string {
  const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'))
  const serial = Buffer.concat([Buffer.from([1]), randomBytes(15)])
  const endsMs = Date.now() + options.validForMs
  const toSign = sequence(
    tlv(0xa0, tlv(0x02, Buffer.from([2]))),
    tlv(0x02, serial),
    ecdsaWithSha256,
    nameOf(options.issuer),
    sequence(utcTime(Math.min(Date.now(), endsMs) - dayMs), utcTime(endsMs)),
    nameOf(options.subject),
    options.publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, sequence(...options.extensions)),
  )
  const signature = Buffer.concat([Buffer.from([0]), sign('sha256', toSign, options.signWith)])
  const base64 = sequence(toSign, ecdsaWithSha256, tlv(0x03, signature)).toString('base64')
  return `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{64}/g, '$&\n').trimEnd()}\n-----END CERTIFICATE-----\n`
}

function tlv(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents)
  const { length } = content
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

const sequence = (...contents: readonly Buffer[]) => tlv(0x30, ...contents)
const oid = (hex: string) => tlv(0x06, Buffer.from(hex, 'hex'))
const nameOf = (common: string) => sequence(tlv(0x31, sequence(oid('550403'), tlv(0x0c, Buffer.from(common)))))
const toPem = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' }).toString()

function extension(id: string, isCritical: boolean, value: Buffer): Buffer {
  const critical = isCritical ? [tlv(0x01, Buffer.from([0xff]))] : []
  return sequence(oid(id), ...critical, tlv(0x04, value))
}

/** Two digits of the year: good until 2049. */
function utcTime(ms: number): Buffer {
  return tlv(
    0x17,
    Buffer.from(
      new Date(ms)
        .toISOString()
        .replace(/\.\d+Z$/, 'Z')
        .replace(/[-:T]/g, '')
        .slice(2),
    ),
  )
}
