import { promisify } from 'node:util'
import { gzip, unzip, zstdCompress, zstdDecompress } from 'node:zlib'

import kafkajs from 'kafkajs'

interface Codec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>
  decompress(bytes: Buffer): Promise<Buffer>
}

/** By the number that stands in a batch. kafkajs brings gzip; for the others it has place-holders that throw. */
const codecs = kafkajs.CompressionCodecs as Record<number, () => Codec>
const names = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

/**
 * What a batch may unpack to. Producers send batches of a megabyte; a batch of zeros that unpacks to gigabytes is within the
 * broker's bounds, too, and would end the process for want of memory, again and again, without a word.
 */
export const unpackedBytesMax = 128 * 1_048_576
const bound = { maxOutputLength: unpackedBytesMax }

/** Gives kafkajs zstd, which Node has, and gzip with a bound. Safe to call again. */
export function installCodecs(): void {
  codecs[kafkajs.CompressionTypes.GZIP] = () => ({
    compress: ({ buffer }) => promisify(gzip)(buffer),
    decompress: (bytes) => promisify(unzip)(bytes, bound),
  })
  codecs[kafkajs.CompressionTypes.ZSTD] = () => ({
    compress: ({ buffer }) => promisify(zstdCompress)(buffer),
    decompress: (bytes) => promisify(zstdDecompress)(bytes, bound),
  })
}

/** No event of the batch can be read, and no wait mends that. */
export class UnreadableBatch extends Error {}

/** Throws `UnreadableBatch`, or whatever a codec throws at bytes that are not its own. */
export async function decompress(codec: number, bytes: Buffer): Promise<Buffer> {
  try {
    return await codecs[codec]!().decompress(bytes)
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === 'KafkaJSNotImplemented') {
      throw new UnreadableBatch(
        `compressed with ${names[codec]}, which is not read here; let its producer (or the topic's compression.type) use gzip, zstd or none`,
      )
    }
    if (thrown instanceof RangeError && 'code' in thrown && thrown.code === 'ERR_BUFFER_TOO_LARGE') {
      throw new UnreadableBatch(
        `compressed with ${names[codec]} and unpacks to more than ${unpackedBytesMax / 1_048_576} MB, which is not read here; let its producer send smaller batches`,
      )
    }
    throw thrown
  }
}
