import { PipelineError } from '../domain/faults.ts'
import { clusterOf } from './kafka-cluster.ts'
import type { Kafka } from './kafka.ts'

/**
 * Asks Kafka for a topic's id. kafkajs speaks Metadata only up to version 6, and the id came with version 10; so the request
 * (version 12, https://kafka.apache.org/protocol#The_Messages_Metadata) is written here and sent over kafkajs' own connection.
 */
export async function fetchTopicId(kafka: Kafka, topic: string): Promise<string> {
  const cluster = clusterOf(kafka)
  await cluster.connect()
  try {
    await cluster.refreshMetadata()
    const broker = await cluster.findControllerBroker()
    const id = await broker.connectionPool.send({
      request: { apiKey: 3, apiVersion: 12, apiName: 'Metadata', encode: () => Promise.resolve(encodeRequest(topic)) },
      response: { decode: (raw) => Promise.resolve(raw), parse: (raw) => Promise.resolve(decodeTopicId(raw, topic)) },
    })
    return id
  } finally {
    await cluster.disconnect()
  }
}

/** Header tags (version 2 of the request header), one topic by name, no creation, no authorised operations, no tags. */
function encodeRequest(topic: string): { buf: Buffer; buffer: Buffer } {
  const name = Buffer.from(topic)
  if (name.length > 126) {
    throw new PipelineError(`topic name ${topic} is too long`, { code: 'config_invalid' })
  }
  const buffer = Buffer.concat([
    Buffer.from([0, 2]),
    Buffer.alloc(16),
    Buffer.from([name.length + 1]),
    name,
    Buffer.from([0, 0, 0, 0]),
  ])
  return { buf: buffer, buffer }
}

function decodeTopicId(raw: Buffer, topic: string): string {
  let position = 1 + 4
  const varint = () => {
    let value = 0
    for (let shift = 0; ; shift += 7) {
      const byte = raw.readUInt8(position++)
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) {
        return value
      }
    }
  }
  const skipText = () => {
    const sizePlusOne = varint()
    position += Math.max(sizePlusOne - 1, 0)
  }
  for (let brokers = varint() - 1; brokers > 0; brokers--) {
    position += 4
    skipText()
    position += 4
    skipText()
    // The brokers carry no tags; a count other than 0 would need them read.
    varint()
  }
  skipText()
  position += 4
  varint()
  const errorCode = raw.readInt16BE(position)
  position += 2
  skipText()
  const hex = raw.subarray(position, position + 16).toString('hex')
  if (errorCode !== 0 || /^0*$/.test(hex)) {
    throw new PipelineError(`Kafka has no topic ${topic}; run \`npx intent-ledger migrate\` to create it`, {
      code: 'kafka_refused',
    })
  }
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
