import { messageOf } from '../shared/domain/faults.ts'
import type { Committed, Watermarks } from '../shared/io/kafka-admin.ts'
import type { Peeked } from '../shared/io/kafka-peek.ts'
import type { Logger } from '../shared/io/log.ts'

/**
 * How far behind the log this process is, partition by partition.
 *
 * Asks Kafka itself, every few seconds, and does not rely on fetches or settled batches: while ClickHouse is away neither comes,
 * and a partition may wait that nobody fetches. One small Fetch a partition tells the log's end and when the first message that is
 * not settled was sent. The age then grows with the clock alone, also while Kafka does not answer.
 */
export interface LagWatch {
  /** From now on exactly these partitions are this member's own; what is known of others that nobody owns is forgotten. */
  own(member: number, partitions: readonly number[], settledTo: SettledTo): void
  /** Of each own partition that was looked at. */
  lags(): PartitionLag[]
  /** Which partition waits for longer than is borne, or undefined. */
  tooOld(): string | undefined
  /** Looks now; after it, what `lags` says is as of now. */
  look(): Promise<void>
  /** The member owns nothing any more; resolves when no question to `committed` and `watermarks` is under way. */
  disown(member: number): Promise<void>
}

export interface PartitionLag {
  readonly partition: number
  /** Offsets that are not settled, markers and aborted records included. */
  readonly offsets: number
  /** Seconds since the first message that is not settled was sent; 0 when there is none to read. */
  readonly seconds: number
}

/** The first offset that may hold a message not settled; undefined while the partition is not open. */
type SettledTo = (partition: number) => number | undefined

export interface LagDeps {
  peek(partition: number, offset: number): Promise<Peeked>
  committed(): Promise<ReadonlyMap<number, Committed>>
  watermarks(): Promise<readonly Watermarks[]>
  readonly log: Logger
  /** Seconds a message may wait; 0: any time. */
  readonly lagMaxS: number
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

interface Known {
  /** The member of this process that owns it, or was the last to say so while the group rebalances. */
  readonly member: number
  readonly settledTo: SettledTo
  /** All before it is settled; undefined before the first look. */
  from: number | undefined
  high: number
  /** The first message at or after `at`, and where the search for it has come. */
  first: { at: number; timeMs: number | undefined; emptyTo: number } | undefined
}

/** A look costs a request a partition; readiness and lag need not be newer than this. */
const lookEveryMs = 5_000

export function createLagWatch(deps: LagDeps): LagWatch {
  const now = deps.now ?? Date.now
  let known = new Map<number, Known>()
  let looking: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let failing = false
  let asking: Promise<unknown> = Promise.resolve()

  /**
   * Where a partition stands that is not open: where opening it would most likely go on. Asked at each look, since it may stay
   * closed for long: after a rejoin it is opened by its next message, and what it was known to wait for may be stored by then.
   */
  async function findClosed(): Promise<void> {
    const closed = [...known].filter(([partition, state]) => state.settledTo(partition) === undefined)
    if (closed.length === 0) {
      return
    }
    const questions = [deps.committed(), deps.watermarks()] as const
    asking = Promise.allSettled(questions)
    const [committed, watermarks] = await Promise.all(questions)
    for (const [partition, state] of closed) {
      const low = watermarks.find((mark) => mark.partition === partition)?.low ?? 0
      state.from = Math.max(committed.get(partition)?.offset ?? 0, low)
    }
  }

  async function lookAt(partition: number, state: Known): Promise<void> {
    const from = fromOf(partition, state)
    if (from === undefined) {
      return
    }
    const before = state.first?.at === from ? state.first : { at: from, timeMs: undefined, emptyTo: from }
    // Once the message is found only the end of the log is of interest.
    const isFound = before.timeMs !== undefined
    const { high, firstTimeMs, emptyTo } = await deps.peek(partition, isFound ? state.high : before.emptyTo)
    state.high = high
    state.first = isFound ? before : { at: from, timeMs: firstTimeMs, emptyTo }
  }

  function fromOf(partition: number, state: Known): number | undefined {
    state.from = state.settledTo(partition) ?? state.from
    return state.from
  }

  async function lookAtAll(): Promise<void> {
    const faults: unknown[] = []
    await findClosed().catch((thrown: unknown) => faults.push(thrown))
    // One after the other: a look must not weigh on the broker, or on us.
    const asked = known
    for (const [partition, state] of asked) {
      if (asked === known) {
        await lookAt(partition, state).catch((thrown: unknown) => faults.push(thrown))
      }
    }
    // What was known stands, and its age goes on growing.
    if (faults.length > 0 && !failing && known.size > 0) {
      deps.log.warn({ fault: messageOf(faults[0]) }, 'lag not looked up')
    }
    failing = faults.length > 0
  }

  const look = () => (looking ??= lookAtAll().finally(() => (looking = undefined)))

  function lags(): PartitionLag[] {
    return [...known].flatMap(([partition, state]) => {
      const from = fromOf(partition, state)
      if (from === undefined || state.first === undefined) {
        return []
      }
      const offsets = Math.max(0, state.high - from)
      // The message that was found may be settled by now, and the next one is not known before the next look: it is not older.
      const since = offsets === 0 ? undefined : state.first.timeMs
      return [{ partition, offsets, seconds: since === undefined ? 0 : Math.max(0, (now() - since) / 1_000) }]
    })
  }

  function own(member: number, partitions: readonly number[], settledTo: SettledTo): void {
    const others = [...known].filter(([partition, state]) => state.member !== member && !partitions.includes(partition))
    const unknown = { from: undefined, high: 0, first: undefined }
    const owned = partitions.map(
      (partition) => [partition, { ...unknown, ...known.get(partition), member, settledTo }] as const,
    )
    known = new Map([...others, ...owned])
    clearInterval(timer)
    if (known.size > 0) {
      timer = setInterval(() => void look(), lookEveryMs).unref()
      void (looking ?? Promise.resolve()).then(look)
    }
  }

  return {
    lags,
    look,
    own,
    tooOld() {
      const [oldest] = lags().sort((a, b) => b.seconds - a.seconds)
      if (deps.lagMaxS === 0 || oldest === undefined || oldest.seconds <= deps.lagMaxS) {
        return undefined
      }
      return `partition ${oldest.partition}: its first message that is not stored was sent ${Math.floor(oldest.seconds)} s ago, where ${deps.lagMaxS} s are borne (READY_LAG_MAX_S); ${oldest.offsets} offsets wait`
    },
    async disown(member) {
      own(member, [], () => undefined)
      await asking
    },
  }
}
