/** What is broken, and how. Each fault is drawn from the seed; the seconds it takes are the machine's. */
import { setTimeout as sleep } from 'node:timers/promises'

import type { Random } from '../../services/producer/random.ts'
import { waitFor } from '../support/wait-for.ts'
import { drawErrorAnswer } from './error-answers.ts'
import { groupDeleted, offsetsMoved, offsetsOutOfRange, partitionsAdded } from './group-faults.ts'
import { overslept } from './oversleep.ts'
import type { Deed, Proxy } from './proxy.ts'
import { metMaxMs, pick, type Deeds, type Fault, type FaultedWorld } from './world.ts'

const membersMin = 2
const membersMax = 4
const awayMaxMs = 1_500
const loadOnMaxMs = 60_000
const onItsWayMs = 200

const answersLost: Fault = ({ clickHouseProxy }, random) =>
  armed(clickHouseProxy, random.integer(1, 4), 'inserts', { kind: 'lose_answer' })

export const faults = {
  classifier_killed: ({ fleet }, random) => {
    const member = pick(fleet.members(), random)
    fleet.kill(member)
    return Promise.resolve({ details: `classifier ${member}` })
  },
  classifier_paused: async ({ fleet, sessionTimeoutMs }, random) => {
    const member = pick(fleet.members(), random)
    const pauseMs = sessionTimeoutMs + random.integer(300, 3_000)
    fleet.pause(member)
    await sleep(pauseMs)
    fleet.resume(member)
    return { details: `classifier ${member} for ${pauseMs} ms` }
  },
  classifier_overslept: overslept,
  member_added_or_removed: async ({ fleet }, random) => {
    const members = fleet.members()
    const removes = random.chance(0.5)
    if (members.length >= membersMax || (members.length > membersMin && removes)) {
      const member = pick(members, random)
      await fleet.remove(member)
      return { details: `classifier ${member} removed` }
    }
    return { details: `classifier ${await fleet.add()} added` }
  },
  partitions_added: partitionsAdded,
  offsets_out_of_range: offsetsOutOfRange,
  offsets_moved: offsetsMoved,
  group_deleted: groupDeleted,
  clickhouse_killed: clickHouseKilled,
  kafka_killed: async (world, random) => {
    const nth = random.integer(0, world.kafkaServers.length - 1)
    const server = world.kafkaServers[nth]!
    const awayMs = random.integer(0, awayMaxMs)
    if (world.kafkaServers.length === 1) {
      await server.killWhile(() => sleep(awayMs))
      return { details: `away for ${awayMs} ms and its start` }
    }
    let loadOnAfterMs = 0
    await server.killWhile(async () => {
      loadOnAfterMs = await loadGoesOn(world)
      await sleep(awayMs)
    })
    return { details: `broker ${nth + 1}; load on after ${Math.round(loadOnAfterMs)} ms without it`, loadOnAfterMs }
  },
  clickhouse_answer_lost: answersLost,
  /** The retry meets a server that has just come back, or another owner. */
  clickhouse_answer_lost_then_killed: async (world, random) => {
    const { details: lost } = await answersLost(world, random)
    if (random.chance(0.5)) {
      const member = pick(world.fleet.members(), random)
      world.fleet.kill(member)
      return { details: `${lost}, then classifier ${member} killed` }
    }
    return { details: `${lost}, then ClickHouse killed, ${(await clickHouseKilled(world, random)).details}` }
  },
  clickhouse_error_before_insert: ({ clickHouseProxy }, random) => {
    const { name, bytes } = drawErrorAnswer(random)
    const deed: Deed = { kind: 'refuse_request', answer: () => bytes }
    return armed(clickHouseProxy, random.integer(1, 6), `inserts answered ${name}`, deed)
  },
  clickhouse_error_after_insert: ({ clickHouseProxy }, random) => {
    const { name, bytes } = drawErrorAnswer(random)
    const deed: Deed = { kind: 'replace_answer', answer: () => bytes }
    return armed(clickHouseProxy, random.integer(1, 4), `inserts done and answered ${name}`, deed)
  },
  clickhouse_request_halved: ({ clickHouseProxy }, random) =>
    armed(clickHouseProxy, random.integer(1, 3), 'inserts', { kind: 'halve_request' }),
  clickhouse_cut: ({ clickHouseProxy }, random) => cut(clickHouseProxy, random),
  clickhouse_delayed: ({ clickHouseProxy }, random) => delayed(clickHouseProxy, random),
  kafka_cut: ({ kafkaProxies }, random) => cut(pick(kafkaProxies, random), random),
  kafka_answer_lost: ({ kafkaProxies }, random) =>
    armed(pick(kafkaProxies, random), random.integer(1, 3), 'answers', { kind: 'lose_answer' }),
  kafka_delayed: ({ kafkaProxies }, random) => delayed(pick(kafkaProxies, random), random),
} satisfies Record<string, Fault>

export type FaultKind = keyof typeof faults
export const kindsOfFaults = Object.keys(faults) as FaultKind[]

/** How many cards of a kind are in the deck of one broker: 30 in all, so that 30 faults show every kind. */
const cards: Record<FaultKind, number> = {
  classifier_killed: 3,
  classifier_paused: 2,
  classifier_overslept: 1,
  member_added_or_removed: 2,
  partitions_added: 1,
  offsets_out_of_range: 1,
  offsets_moved: 1,
  group_deleted: 1,
  clickhouse_killed: 2,
  kafka_killed: 1,
  clickhouse_answer_lost: 3,
  clickhouse_answer_lost_then_killed: 2,
  clickhouse_error_before_insert: 2,
  clickhouse_error_after_insert: 2,
  clickhouse_request_halved: 1,
  clickhouse_cut: 1,
  clickhouse_delayed: 1,
  kafka_cut: 1,
  kafka_answer_lost: 1,
  kafka_delayed: 1,
}

/** What a cluster is there for; with one broker, a kill is an outage of some seconds. */
const brokerKillsOfCluster = 4

/** Kinds without end: a shuffled deck, and the next one when it is used up. */
export function* drawFaults(
  random: Random,
  { brokers, only }: { readonly brokers: 1 | 3; readonly only: readonly FaultKind[] | undefined },
): Generator<FaultKind, never> {
  const counts = brokers === 1 ? cards : { ...cards, kafka_killed: brokerKillsOfCluster }
  const kinds = only ?? kindsOfFaults
  const deck = kinds.flatMap((kind) => Array<FaultKind>(counts[kind]).fill(kind))
  for (;;) {
    const left = [...deck]
    while (left.length > 0) {
      yield left.splice(random.integer(0, left.length - 1), 1)[0]!
    }
  }
}

async function clickHouseKilled({ clickHouseServer }: FaultedWorld, random: Random): Promise<Deeds> {
  const awayMs = random.integer(0, awayMaxMs)
  await clickHouseServer.killWhile(() => sleep(awayMs))
  return { details: `away for ${awayMs} ms and its start` }
}

/** Resolves, with the milliseconds it took, when every partition has taken new messages. */
async function loadGoesOn({ manifest }: FaultedWorld): Promise<number> {
  const startedMs = performance.now()
  // What the broker acknowledged before it died is on its way.
  await sleep(onItsWayMs)
  const before = manifest.partitions.map((_, partition) => manifest.messages(partition))
  await waitFor(
    'the load to go on while one of three brokers is away',
    () => before.every((messages, partition) => manifest.messages(partition) > messages),
    { timeoutMs: loadOnMaxMs, everyMs: 20 },
  )
  return performance.now() - startedMs
}

async function cut(proxy: Proxy, random: Random): Promise<Deeds> {
  const times = random.integer(1, 3)
  let connections = 0
  for (let nth = 0; nth < times; nth++) {
    connections += proxy.cut()
    await sleep(random.integer(50, 400))
  }
  return { details: `${connections} connections` }
}

async function delayed(proxy: Proxy, random: Random): Promise<Deeds> {
  const [delayMs, forMs] = [random.integer(20, 250), random.integer(1_000, 3_000)]
  proxy.delay(delayMs)
  await sleep(forMs)
  proxy.delay(0)
  return { details: `${delayMs} ms a way for ${forMs} ms` }
}

/** Waits until the proxy has done what it was told, but not for ever: nobody may be working. */
async function armed(proxy: Proxy, count: number, what: string, deed: Deed): Promise<Deeds> {
  proxy.arm(count, deed)
  const givesUpAt = performance.now() + metMaxMs
  while (proxy.pending() > 0 && performance.now() < givesUpAt) {
    await sleep(10)
  }
  const left = proxy.pending()
  proxy.disarm()
  return { details: left === 0 ? `${count} ${what}` : `${count} ${what}, ${left} of them not met in time` }
}
