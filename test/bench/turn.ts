/**
 * The order of a round: over as many rounds as there are items each takes each place once and, if they are even in number, comes
 * once right behind each other one, so that what one leaves to the next (caches, merges, a warm machine) falls on all alike.
 * An odd number needs twice as many rounds, the second half in reverse. E. J. Williams, 1949: designs balanced for residual effects.
 */
export function turn<T>(items: readonly T[], round: number): T[] {
  const { length } = items
  // 0, 1, -1, 2, -2, …: neighbours are each apart by another distance.
  const order = items.map(
    (_, index) => items[(Math.ceil(index / 2) * (index % 2 === 0 ? -1 : 1) + length + round) % length]!,
  )
  return length % 2 === 1 && Math.floor(round / length) % 2 === 1 ? order.reverse() : order
}
