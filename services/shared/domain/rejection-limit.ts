/**
 * Notices that rejection grows as it does after a bad release: nearly every message is malformed, and a table fills with what
 * should have been mended at its source.
 *
 * Looks at about the last 10,000 messages of a partition, older ones counting half for each 10,000 that came after, so that it
 * neither stops for a handful nor is lulled by a long good past.
 */
export interface RejectionLimit {
  /** Why this batch must not be stored, or undefined. Asked before anything of it is planned. */
  exceededBy(batch: RejectionCounts): string | undefined
  /** The batch was stored: it belongs to the past now. */
  settled(batch: RejectionCounts): void
}

export interface RejectionCounts {
  readonly partition: number
  readonly messages: number
  readonly rejected: number
  readonly reasons: Readonly<Partial<Record<string, number>>>
}

export interface RejectionLimitOptions {
  /** Rejected messages, in per cent of all, that are still borne; 100 bears everything. */
  readonly percentMax: number
  /** Fewer rejected messages than this are always borne. */
  readonly rowsMin: number
}

const halfLifeMessages = 10_000

export function createRejectionLimit({ percentMax, rowsMin }: RejectionLimitOptions): RejectionLimit {
  const past = new Map<number, { messages: number; rejected: number }>()

  function withPast({ partition, messages, rejected }: RejectionCounts) {
    const before = past.get(partition) ?? { messages: 0, rejected: 0 }
    const weight = 0.5 ** (messages / halfLifeMessages)
    return { messages: before.messages * weight + messages, rejected: before.rejected * weight + rejected }
  }

  return {
    exceededBy(batch) {
      const recent = withPast(batch)
      const percent = (100 * recent.rejected) / recent.messages
      if (batch.rejected === 0 || recent.rejected < rowsMin || percent <= percentMax) {
        return undefined
      }
      const reasons = Object.entries(batch.reasons).sort(([, a], [, b]) => b! - a!)
      return `${batch.rejected} of ${batch.messages} messages would be rejected (${reasons.map(([reason, count]) => `${reason} ${count}`).join(', ')}), and ${percent.toFixed(0)} % of the recent ones, where ${percentMax} % are borne`
    },
    settled(batch) {
      past.set(batch.partition, withPast(batch))
    },
  }
}
