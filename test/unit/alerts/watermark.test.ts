import assert from 'node:assert/strict'
import { test } from 'node:test'

import { watermarkOf } from '../../../services/alerts/watermark.ts'

const now = 1_000_000
type Partition = readonly [low: number, high: number]
type Stored = readonly [next: number, recorded: number | null] | null

function decide(partitions: readonly (readonly [Partition, Stored])[]): number {
  const ends = partitions.map(([[low, high]], partition) => ({ partition, low, high }))
  const stored = partitions.flatMap(([, held], partition) =>
    held === null ? [] : [{ partition, next: held[0], recorded: held[1] }],
  )
  return watermarkOf(ends, stored, now)
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
    'what expired unread holds it back until the ledger says so',
    [
      [
        [12, 12],
        [9, 500],
      ],
    ],
    500,
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
  test(`watermark: ${name}`, () => {
    assert.equal(decide(partitions), expected)
  })
}
