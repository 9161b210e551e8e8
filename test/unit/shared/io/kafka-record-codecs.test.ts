import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'

import {
  decompress,
  installCodecs,
  unpackedBytesMax,
  UnreadableBatch,
} from '../../../../services/shared/io/kafka-record-codecs.ts'

installCodecs()
const codecs = { gzip: { number: 1, pack: gzipSync }, zstd: { number: 4, pack: zstdCompressSync } }

for (const [name, { number, pack }] of Object.entries(codecs)) {
  test(`unpacks ${name} up to its bound, and says so of a batch that goes beyond it`, async () => {
    const atBound = pack(Buffer.alloc(unpackedBytesMax))
    assert.ok(atBound.length < 1_000_000, 'a broker takes it')
    assert.equal((await decompress(number, atBound)).length, unpackedBytesMax)
    await assert.rejects(decompress(number, pack(Buffer.alloc(unpackedBytesMax + 1))), (thrown) => {
      assert.ok(thrown instanceof UnreadableBatch)
      assert.match(
        thrown.message,
        new RegExp(`^compressed with ${name} and unpacks to more than 128 MB, which is not read`),
      )
      return true
    })
  })
}

test('names a codec that is not installed, and lets damaged bytes be what their codec says', async () => {
  await assert.rejects(decompress(2, Buffer.alloc(4)), { message: /^compressed with snappy, which is not read here/ })
  await assert.rejects(decompress(1, Buffer.from('no gzip')), (thrown) => !(thrown instanceof UnreadableBatch))
})
