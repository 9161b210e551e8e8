import { PipelineError } from '../domain/faults.ts'
import type { Kafka } from './kafka.ts'

/**
 * kafkajs' own connections to the cluster, with its TLS and SASL, for requests that its clients do not offer. This reaches into
 * kafkajs' inner names; its version is pinned, and tests on a real broker notice when they change.
 */
export interface InnerCluster {
  connect(): Promise<void>
  disconnect(): Promise<void>
  refreshMetadata(): Promise<void>
  refreshMetadataIfNecessary(): Promise<void>
  addTargetTopic(topic: string): Promise<void>
  /** Partitions by the node that leads them. */
  findLeaderForPartitions(topic: string, partitions: readonly number[]): Record<string, number[]>
  findBroker(options: { nodeId: string }): Promise<InnerBroker>
  findControllerBroker(): Promise<InnerBroker>
}

export interface InnerBroker {
  fetch(request: {
    isolationLevel: number
    maxWaitTime: number
    minBytes: number
    maxBytes: number
    topics: readonly {
      topic: string
      partitions: readonly { partition: number; fetchOffset: string; maxBytes: number }[]
    }[]
  }): Promise<{ responses: readonly { partitions: readonly FetchedPartition[] }[] }>
  readonly connectionPool: {
    send<T>(protocol: {
      request: {
        apiKey: number
        apiVersion: number
        apiName: string
        encode(): Promise<{ buf: Buffer; buffer: Buffer }>
      }
      response: { decode(raw: Buffer): Promise<Buffer>; parse(raw: Buffer): Promise<T> }
    }): Promise<T>
  }
}

export interface FetchedPartition {
  readonly partition: number
  readonly highWatermark: string
  readonly lastStableOffset: string
  readonly messages: readonly { readonly offset: string }[]
}

export function clusterOf(kafka: Kafka): InnerCluster {
  const symbol = Object.getOwnPropertySymbols(kafka).find(
    (found) => found.description === 'private:Kafka:createCluster',
  )
  const create = symbol === undefined ? undefined : (kafka as unknown as Record<symbol, unknown>)[symbol]
  if (typeof create !== 'function') {
    throw new PipelineError(
      'this version of kafkajs hides its cluster; services/shared/io/kafka-cluster.ts must follow it',
      {
        code: 'kafka_refused',
      },
    )
  }
  return (create as (options: object) => InnerCluster)({ metadataMaxAge: 60_000, allowAutoTopicCreation: false })
}
