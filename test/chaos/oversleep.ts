/** A classifier that sleeps, with an insert on its way, until the deduplication window has forgotten that insert's token. */
import { setTimeout as sleep } from 'node:timers/promises'

import { waitFor } from '../support/wait-for.ts'
import type { HeldRequest } from './proxy.ts'
import { pick, type Fault, type FaultedWorld } from './world.ts'

/** Tokens that the table remembers while the classifier sleeps. */
const windowBlocks = 10
const heldMaxMs = 20_000
/** In which the sender hands over the rest of an insert. */
const sentMs = 300

/** Batches that put a token into the table. */
const batchesOf: Record<string, string> = {
  intent_events: 'accepted > 0',
  duplicate_events: 'duplicate > 0',
  rejected_events: 'rejected > 0',
  ingest_batches: 'true',
}

/**
 * The insert is held in the proxy, its sender stopped. When another classifier has stored that very range, so many batches
 * follow that the table forgets the token, and the insert's lease has ended, it goes out: nothing but the lease stands between
 * it and doubled rows. Throws when it is not refused.
 */
export const overslept: Fault = async (world, random) => {
  const { progress, fleet, clickHouseProxy, admin, group, memberships } = world
  await progress.goesOn()
  const member = pick(fleet.members(), random)
  // It may still be joining after the last fault.
  const held = await clickHouseProxy.hold(world.portOf(member), heldMaxMs)
  if (held === undefined) {
    return { details: `not done: classifier ${member} had nothing to insert` }
  }
  await sleep(sentMs)
  const stoppedMs = performance.now()
  fleet.pause(member)
  const others = (fleet.members().length - 1) * memberships
  await waitFor('the group to go on without the sleeper', async () => (await admin.groupMembers(group)) === others)
  // The plan of the held range comes first: who takes the partition over has stored it when that partition goes on. And all
  // partitions: a takeover under the small window would find its tokens forgotten, and double (seed 103 did).
  await progress.goesOn()
  const { table, leaseEndsMs } = readHead(held.head)
  await sleep(Math.max(0, leaseEndsMs - Date.now() + 100))
  let answer: string
  try {
    await setWindow(world, table, windowBlocks)
    await forgotten(world, table)
    answer = await release(held)
  } finally {
    await setWindow(world, table, world.dedupWindowBlocks)
  }
  if (!/x-clickhouse-exception-code: 395\b/i.test(answer)) {
    throw new Error(`an insert into ${table} ${lateBy(leaseEndsMs)} ms after its lease was not refused: ${answer}`)
  }
  // What was stored under the small window is closed before anybody may ask for its token: the sleeper joins only now.
  await progress.goesOn()
  fleet.resume(member)
  const forMs = Math.round(performance.now() - stoppedMs)
  return {
    details: `classifier ${member} for ${forMs} ms; its late insert into ${table} refused, ${lateBy(leaseEndsMs)} ms after its lease`,
    lateInsertsRefused: 1,
  }
}

const lateBy = (leaseEndsMs: number) => Date.now() - leaseEndsMs

function readHead(head: Buffer): { table: string; leaseEndsMs: number } {
  const line = decodeURIComponent(head.toString('latin1').split('\r\n', 1)[0]!.replaceAll('+', ' '))
  const table = /INSERT INTO \w+\.(\w+)/.exec(line)?.[1]
  const leaseEndsMs = Number(/param_lease_ends_ms=(\d+)/.exec(line)?.[1])
  if (table === undefined || !(table in batchesOf) || Number.isNaN(leaseEndsMs)) {
    throw new Error(`an insert without a table of ours or a lease: ${line.slice(0, 500)}`)
  }
  return { table, leaseEndsMs }
}

async function setWindow({ steward, database }: FaultedWorld, table: string, blocks: number): Promise<void> {
  await waitFor('the deduplication window to be set', async () => {
    await steward.command(
      `ALTER TABLE ${database}.${table} MODIFY SETTING non_replicated_deduplication_window = ${blocks}`,
    )
    return true
  })
}

/** Resolves when so many batches were stored since that no older token is remembered. */
async function forgotten({ clickHouse, database }: FaultedWorld, table: string): Promise<void> {
  const count = async () => {
    const [row] = await clickHouse.rows<{ batches: number }>(
      `SELECT count() AS batches FROM ${database}.ingest_batches WHERE ${batchesOf[table]}`,
    )
    return row!.batches
  }
  const before = await waitFor('the ledger to answer', count)
  await waitFor('the token to be forgotten', async () => (await count()) > before + windowBlocks)
}

/** Resolves with the answer. */
async function release(held: HeldRequest): Promise<string> {
  let answer = ''
  held.release((chunk) => (answer += chunk.toString('latin1')))
  return waitFor('the answer to a late insert', () => {
    return /^HTTP\/1.1 200|exception-code: \d+\r/i.test(answer) && answer
  })
}
