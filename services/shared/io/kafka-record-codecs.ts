import { promisify } from 'node:util'
import { zstdCompress, zstdDecompress } from 'node:zlib'

import kafkajs from 'kafkajs'

interface Codec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>
  decompress(bytes: Buffer): Promise<Buffer>
}

/** By the number that stands in a batch. kafkajs brings gzip; for the others it has place-holders that throw. */
const codecs = kafkajs.CompressionCodecs as Record<number, () => Codec>
const names = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

/** Gives kafkajs zstd, which Node has. Safe to call again. */
export function installCodecs(): void {
  codecs[kafkajs.CompressionTypes.ZSTD] = () => ({
    compress: ({ buffer }) => promisify(zstdCompress)(buffer),
    decompress: (bytes) => promisify(zstdDecompress)(bytes),
  })
}

/** Without its codec no event of a batch can be read, and no wait mends that. */
export class UnknownCodec extends Error {}

/** Throws `UnknownCodec`, or whatever a codec throws at bytes that are not its own. */
export async function decompress(codec: number, bytes: Buffer): Promise<Buffer> {
  try {
    return await codecs[codec]!().decompress(bytes)
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === 'KafkaJSNotImplemented') {
      throw new UnknownCodec(
        `compressed with ${names[codec]}, which is not read here; let its producer (or the topic's compression.type) use gzip, zstd or none`,
      )
    }
    throw thrown
  }
}
