/** Second copies of messages that follow some messages later. */
export interface CopyQueue<M> {
  /** Goes on by one message; the copies that come before it. */
  next(): M[]
  /** Comes that many messages after the one that `next` was called for last. */
  put(copy: M, distance: number): void
  /** The copies that were still to come, in their order. */
  rest(): M[]
}

export function createCopyQueue<M>(): CopyQueue<M> {
  const dueAt = new Map<number, M[]>()
  let position = -1
  return {
    next() {
      position += 1
      const due = dueAt.get(position) ?? []
      dueAt.delete(position)
      return due
    },
    put(copy, distance) {
      const due = position + distance
      dueAt.set(due, [...(dueAt.get(due) ?? []), copy])
    },
    rest() {
      const remaining = [...dueAt].sort(([left], [right]) => left - right).flatMap(([, copies]) => copies)
      dueAt.clear()
      return remaining
    },
  }
}
