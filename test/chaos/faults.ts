/** What is broken, and how. Each fault is drawn from the seed; the seconds it takes are the machine's. */
import { setTimeout as sleep } from 'node:timers/promises'

import type { Random } from '../../services/producer/random.ts'
import type { Fleet } from './fleet.ts'
import type { KeptServer } from './kept-server.ts'
import type { Proxy } from './proxy.ts'

export interface FaultedWorld {
  readonly clickHouseServer: KeptServer
  readonly kafkaServer: KeptServer
  readonly fleet: Fleet
  readonly clickHouseProxy: Proxy
  readonly kafkaProxy: Proxy
  readonly sessionTimeoutMs: number
}

/** Does it, and resolves when its cause is over; the text says the details. */
type Fault = (world: FaultedWorld, random: Random) => Promise<string>

const membersMin = 2
const membersMax = 4
const armedMaxMs = 8_000

const answersLost: Fault = ({ clickHouseProxy: proxy }, random) => {
  const count = random.integer(1, 4)
  proxy.loseAnswers(count)
  return disarmed(proxy, `${count} inserts`)
}

export const faults = {
  classifier_killed: async ({ fleet }, random) => {
    const member = pick(fleet.members(), random)
    fleet.kill(member)
    return Promise.resolve(`classifier ${member}`)
  },
  classifier_paused: async ({ fleet, sessionTimeoutMs }, random) => {
    const member = pick(fleet.members(), random)
    const pauseMs = sessionTimeoutMs + random.integer(300, 3_000)
    fleet.pause(member)
    await sleep(pauseMs)
    fleet.resume(member)
    return `classifier ${member} for ${pauseMs} ms`
  },
  member_added_or_removed: async ({ fleet }, random) => {
    const members = fleet.members()
    if (members.length >= membersMax || (members.length > membersMin && random.chance(0.5))) {
      const member = pick(members, random)
      await fleet.remove(member)
      return `classifier ${member} removed`
    }
    return `classifier ${fleet.add()} added`
  },
  clickhouse_killed: ({ clickHouseServer }, random) => killed(clickHouseServer, random),
  kafka_killed: ({ kafkaServer }, random) => killed(kafkaServer, random),
  clickhouse_answer_lost: answersLost,
  /** The retry meets a server that has just come back, or another owner. */
  clickhouse_answer_lost_then_killed: async (world, random) => {
    const lost = await answersLost(world, random)
    if (random.chance(0.5)) {
      const member = pick(world.fleet.members(), random)
      world.fleet.kill(member)
      return `${lost}, then classifier ${member} killed`
    }
    return `${lost}, then ClickHouse killed, ${await killed(world.clickHouseServer, random)}`
  },
  clickhouse_request_halved: ({ clickHouseProxy: proxy }, random) => {
    const count = random.integer(1, 3)
    proxy.halveRequests(count)
    return disarmed(proxy, `${count} inserts`)
  },
  clickhouse_cut: ({ clickHouseProxy: proxy }, random) => cut(proxy, random),
  clickhouse_delayed: ({ clickHouseProxy: proxy }, random) => delayed(proxy, random),
  kafka_cut: ({ kafkaProxy: proxy }, random) => cut(proxy, random),
  kafka_answer_lost: ({ kafkaProxy: proxy }, random) => {
    const count = random.integer(1, 3)
    proxy.loseAnswers(count)
    return disarmed(proxy, `${count} answers`)
  },
  kafka_delayed: ({ kafkaProxy: proxy }, random) => delayed(proxy, random),
} satisfies Record<string, Fault>

export type FaultKind = keyof typeof faults

/** How many cards of a kind are in the deck: 27 in all, so that 27 faults show every kind. */
const cards: Record<FaultKind, number> = {
  classifier_killed: 5,
  classifier_paused: 2,
  member_added_or_removed: 3,
  clickhouse_killed: 2,
  kafka_killed: 1,
  clickhouse_answer_lost: 4,
  clickhouse_answer_lost_then_killed: 2,
  clickhouse_request_halved: 2,
  clickhouse_cut: 2,
  clickhouse_delayed: 1,
  kafka_cut: 1,
  kafka_answer_lost: 1,
  kafka_delayed: 1,
}

/** Kinds without end: a shuffled deck, and the next one when it is used up. */
export function* drawFaults(random: Random): Generator<FaultKind, never> {
  const deck = Object.entries(cards).flatMap(([kind, count]) => Array<FaultKind>(count).fill(kind as FaultKind))
  for (;;) {
    const left = [...deck]
    while (left.length > 0) {
      yield left.splice(random.integer(0, left.length - 1), 1)[0]!
    }
  }
}

async function killed(server: KeptServer, random: Random): Promise<string> {
  const awayMs = random.integer(0, 1_500)
  await server.killFor(awayMs)
  return `away for ${awayMs} ms and its start`
}

async function cut(proxy: Proxy, random: Random): Promise<string> {
  const times = random.integer(1, 3)
  let connections = 0
  for (let nth = 0; nth < times; nth++) {
    connections += proxy.cut()
    await sleep(random.integer(50, 400))
  }
  return `${connections} connections`
}

async function delayed(proxy: Proxy, random: Random): Promise<string> {
  const [delayMs, forMs] = [random.integer(20, 250), random.integer(1_000, 3_000)]
  proxy.delay(delayMs)
  await sleep(forMs)
  proxy.delay(0)
  return `${delayMs} ms a way for ${forMs} ms`
}

/** Waits until the proxy has done what it was told, but not for ever: nobody may be working. */
async function disarmed(proxy: Proxy, what: string): Promise<string> {
  const givesUpAt = performance.now() + armedMaxMs
  while (proxy.pending() > 0 && performance.now() < givesUpAt) {
    await sleep(10)
  }
  const left = proxy.pending()
  proxy.disarm()
  return left === 0 ? what : `${what}, ${left} of them not met in time`
}

const pick = (members: readonly number[], random: Random) => members[random.integer(0, members.length - 1)]!
