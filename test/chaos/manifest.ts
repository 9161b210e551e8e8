/** What the producer was acknowledged, kept outside the pipeline: the judge's only truth. */
import { hash } from 'node:crypto'

import type { RejectionReason } from '../../services/shared/domain/fate.ts'
import { headerBytes } from '../../services/shared/domain/wire.ts'

export interface LoadMessage {
  readonly partition: number
  readonly key: Buffer
  readonly value: Buffer | null
  readonly fate: 'accepted' | 'duplicate' | RejectionReason
  /** Of an accepted event with a purchase. */
  readonly amountMicros: number | undefined
}

/** A number of things and a hash of them that does not depend on their order. */
export interface Tally {
  count: bigint
  /** Sum modulo 2^64 of the first 8 bytes, big-endian, of each one's SHA-256. */
  hash: bigint
}

export const fates = ['accepted', 'duplicate', 'rejected'] as const
export type TalliedFate = (typeof fates)[number]
export type PartitionTallies = Record<TalliedFate, Tally>

export interface Manifest {
  readonly partitions: readonly PartitionTallies[]
  readonly purchases: bigint
  readonly amountMicros: bigint
  /** The topic has more partitions now. */
  growTo(partitions: number): void
  /** Counts a message that Kafka has acknowledged. */
  readonly add: (message: LoadMessage) => void
  readonly count: (fate: TalliedFate) => bigint
  /** Messages that a partition's log must hold. */
  messages(partition: number): bigint
}

const eventIdBytes = 16

export function createManifest(partitionCount: number): Manifest {
  const partitions = Array.from({ length: partitionCount }, noTallies)
  let purchases = 0n
  let amountMicros = 0n
  return {
    partitions,
    get purchases() {
      return purchases
    },
    get amountMicros() {
      return amountMicros
    },
    growTo(count) {
      while (partitions.length < count) {
        partitions.push(noTallies())
      }
    },
    add({ partition, value, fate, amountMicros: amount }) {
      const tallies = partitions[partition]!
      if (fate === 'accepted' || fate === 'duplicate') {
        // Every writer schema begins with the event's id, 16 bytes as they are.
        count(tallies[fate], value!.subarray(headerBytes, headerBytes + eventIdBytes))
      } else {
        count(tallies.rejected, markedValue(value))
      }
      if (fate === 'accepted' && amount !== undefined) {
        purchases += 1n
        amountMicros += BigInt(amount)
      }
    },
    count: (fate) => partitions.reduce((sum, tallies) => sum + tallies[fate].count, 0n),
    messages: (partition) => fates.reduce((sum, fate) => sum + partitions[partition]![fate].count, 0n),
  }
}

export function noTallies(): PartitionTallies {
  return {
    accepted: { count: 0n, hash: 0n },
    duplicate: { count: 0n, hash: 0n },
    rejected: { count: 0n, hash: 0n },
  }
}

/** A first byte tells an empty value from none. */
function markedValue(value: Buffer | null): Buffer {
  return value === null ? Buffer.from('n') : Buffer.concat([Buffer.from('v'), value])
}

function count(tally: Tally, bytes: Buffer): void {
  tally.count += 1n
  tally.hash = BigInt.asUintN(64, tally.hash + hash('sha256', bytes, 'buffer').readBigUInt64BE())
}
