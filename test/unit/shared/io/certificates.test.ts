import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

import { certificateFault, readAuthority } from '../../../../services/shared/io/certificates.ts'
import { createAuthority } from '../../../support/certificates.ts'

test('reads a certificate, and refuses a missing file and one without a certificate, repeating nothing of it', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'intent-ledger-test-'))
  t.after(() => rm(folder, { recursive: true }))
  const { certificate, key } = createAuthority('test')
  const file = async (name: string, text: string) => {
    await writeFile(join(folder, name), text)
    return join(folder, name)
  }
  assert.equal(readAuthority(await file('ca.pem', certificate), 'KAFKA_SSL_CA_FILE'), certificate)
  assert.throws(
    () => readAuthority(join(folder, 'missing.pem'), 'KAFKA_SSL_CA_FILE'),
    /^PipelineError: KAFKA_SSL_CA_FILE names .*missing\.pem, which can't be read \(ENOENT\)$/,
  )
  const keyFile = await file('key.pem', key)
  assert.throws(
    () => readAuthority(keyFile, 'CLICKHOUSE_SSL_CA_FILE'),
    (thrown: Error) => {
      assert.equal(thrown.message, `CLICKHOUSE_SSL_CA_FILE names ${keyFile}, which holds no certificate in PEM`)
      return true
    },
  )
})

for (const [code, message, says] of [
  ['SELF_SIGNED_CERT_IN_CHAIN', '', /not signed by an authority that is trusted here/],
  ['CERT_HAS_EXPIRED', '', /has expired/],
  ['ERR_TLS_CERT_ALTNAME_INVALID', '', /another host name/],
  ['EPROTO', 'routines:tls_validate_record_header:wrong version number:', /does not speak TLS/],
] as const) {
  test(`says what ${code} is, also as the cause of something else`, () => {
    const error = Object.assign(new Error(message), { code })
    assert.match(certificateFault(error)!, says)
    assert.match(certificateFault(new Error('failed', { cause: error }))!, says)
  })
}

test('says nothing of other faults', () => {
  const circular = new Error('a')
  circular.cause = circular
  for (const thrown of [
    new Error('read ECONNRESET'),
    Object.assign(new Error('x'), { code: 'EPROTO' }),
    circular,
    'x',
  ]) {
    assert.equal(certificateFault(thrown), undefined)
  }
})
