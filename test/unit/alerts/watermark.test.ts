import assert from 'node:assert/strict'
import { test } from 'node:test'

import { createWatermark } from '../../../services/alerts/watermark.ts'
import type { ClickHouse } from '../../../services/shared/io/clickhouse.ts'

const now = 1_000_000
type Partition = readonly [low: number, high: number]
type Stored = readonly [next: number, recorded: number | null] | null

async function watermarkOf(partitions: readonly (readonly [Partition, Stored])[]): Promise<number> {
  const ends = partitions.map(([[low, high]], partition) => ({ partition, low, high }))
  const rows = partitions.flatMap(([, stored], partition) =>
    stored === null ? [] : [{ partition, next: stored[0], recorded: stored[1] }],
  )
  return createWatermark({
    admin: { watermarks: () => Promise.resolve(ends), topicId: () => Promise.resolve('id') },
    clickHouse: { rows: () => Promise.resolve(rows) } as unknown as ClickHouse,
    ...{ database: 'd', topic: 't' },
  })(now)
}

for (const [name, partitions, expected] of [
  ['a topic that nobody wrote to', [[[0, 0], null]], now],
  [
    'all is stored',
    [
      [
        [0, 9],
        [9, 500],
      ],
    ],
    now,
  ],
  [
    'one partition is behind',
    [
      [
        [0, 9],
        [9, 800],
      ],
      [
        [0, 9],
        [5, 500],
      ],
    ],
    500,
  ],
  [
    'a partition holds messages and nothing is stored',
    [
      [
        [0, 9],
        [9, 800],
      ],
      [[0, 3], null],
    ],
    0,
  ],
  [
    'an empty partition does not hold the others back',
    [
      [
        [0, 9],
        [5, 500],
      ],
      [[0, 0], null],
    ],
    500,
  ],
  ['retention took all before anything was stored', [[[7, 7], null]], now],
  [
    'retention took what was left after the last batch',
    [
      [
        [12, 12],
        [9, 500],
      ],
    ],
    now,
  ],
  [
    'retention took some of what is not stored',
    [
      [
        [12, 20],
        [9, 500],
      ],
    ],
    500,
  ],
] as const satisfies readonly (readonly [string, readonly (readonly [Partition, Stored])[], number])[]) {
  test(`watermark: ${name}`, async () => {
    assert.equal(await watermarkOf(partitions), expected)
  })
}
