import assert from 'node:assert/strict'

/** Compares line by line and says the first few differences instead of printing two lists of thousands. */
export function assertSameLines(table: string, found: readonly string[], wanted: readonly string[]): void {
  const surplus = subtract(found, wanted)
  const missing = subtract(wanted, found)
  assert.ok(
    surplus.length === 0 && missing.length === 0,
    [
      `${table} holds ${found.length} lines, the log says ${wanted.length}; ${missing.length} missing, ${surplus.length} too many`,
      ...missing.slice(0, 5).map((text) => `missing:  ${text}`),
      ...surplus.slice(0, 5).map((text) => `too many: ${text}`),
    ].join('\n'),
  )
}

function subtract(lines: readonly string[], others: readonly string[]): string[] {
  const counts = new Map<string, number>()
  for (const line of others) {
    counts.set(line, (counts.get(line) ?? 0) + 1)
  }
  return lines.filter((line) => {
    const left = counts.get(line) ?? 0
    counts.set(line, left - 1)
    return left <= 0
  })
}
