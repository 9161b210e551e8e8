/** What an operator or Kafka itself does to a topic and to a group's offsets. */
import type { Random } from '../../services/producer/random.ts'
import { waitFor } from '../support/wait-for.ts'
import type { Fault, FaultedWorld } from './world.ts'

const beyondMax = 100_000

export const partitionsAdded: Fault = async ({ admin, topic, load, manifest }, random) => {
  const partitions = manifest.partitions.length + random.integer(1, 2)
  // An existing topic keeps its replicas and settings.
  await waitFor('the partitions to be added', async () => {
    await admin.ensureTopic({ topic, partitions, replicas: 1, configs: {} })
    return true
  })
  await load.growTo(partitions)
  return { details: `${partitions} now` }
}

export const offsetsOutOfRange: Fault = (world, random) => {
  const beyond = random.integer(1, beyondMax)
  return withoutMembers(world, (group) => moveOffsets(world, group, (high) => high + beyond))
}

/** Back to what is stored already and forward over what is not: `--to-earliest`, `--to-latest` and any between. */
export const offsetsMoved: Fault = (world, random) => {
  const shares = drawShares(random)
  return withoutMembers(world, (group) =>
    moveOffsets(world, group, (high, partition) => Math.floor(high * shares[partition % shares.length]!)),
  )
}

/** As when `offsets.retention.minutes` is over, which Kafka counts for each partition: offsets and metadata are gone. */
export const groupDeleted: Fault = (world) =>
  withoutMembers(world, async ({ planned, free }) => {
    await waitFor('the group to be deleted', async () => {
      const admin = world.kafka.admin()
      await admin.connect()
      await admin.deleteGroups([world.group]).finally(() => admin.disconnect())
      return true
    })
    await commit(world, planned)
    return `the offsets of ${free.length} partitions deleted`
  })

const drawShares = (random: Random) =>
  Array.from({ length: 8 }, () => [0, 0.5, 1, random.unit()][random.integer(0, 3)]!)

interface CommittedOffset {
  readonly partition: number
  readonly offset: number
  readonly metadata: string | null
}

interface StoppedGroup {
  /** Left as they are: whoever erases a plan whose rows are half stored has to run `repair`, and the classifiers say so. */
  readonly planned: readonly CommittedOffset[]
  readonly free: readonly number[]
}

/** Stops all classifiers in order, changes the group and starts as many again. */
async function withoutMembers(
  world: FaultedWorld,
  change: (group: StoppedGroup) => Promise<string>,
): ReturnType<Fault> {
  const { fleet, admin, group, topic } = world
  const members = fleet.members().length
  await fleet.stop()
  await waitFor('the group to be empty', async () => (await admin.groupMembers(group)) === 0)
  const committed = await waitFor('the offsets of the group', () => admin.committed(group, topic))
  const all = [...committed].map(([partition, of]) => ({ partition, ...of }))
  const details = await change({
    planned: all.filter(({ metadata }) => Boolean(metadata)),
    free: all.filter(({ metadata }) => !metadata).map(({ partition }) => partition),
  })
  for (let started = 0; started < members; started++) {
    await fleet.add()
  }
  return { details: `${members} classifiers stopped, ${details}` }
}

async function moveOffsets(
  world: FaultedWorld,
  { free }: StoppedGroup,
  to: (high: number, partition: number) => number,
): Promise<string> {
  const marks = await waitFor('the watermarks', () => world.admin.watermarks(world.topic))
  const offsets = marks
    .filter(({ partition }) => free.includes(partition))
    .map(({ partition, high }) => ({ partition, offset: to(high, partition), metadata: null }))
  await commit(world, offsets)
  return `offsets set: ${offsets.map(({ partition, offset }) => `${partition} to ${offset}`).join(', ') || 'none'}`
}

/** As a member of the group for a moment. Tried again while the last fault still echoes. */
async function commit(
  { kafka, admin, topic, group }: FaultedWorld,
  offsets: readonly CommittedOffset[],
): Promise<void> {
  if (offsets.length === 0) {
    return
  }
  await waitFor('the offsets to be committed', async () => {
    const consumer = kafka.consumer({ groupId: group, maxWaitTimeInMs: 50 })
    await consumer.connect()
    try {
      await consumer.subscribe({ topics: [topic] })
      const joined = new Promise<void>((resolve) =>
        consumer.on(consumer.events.GROUP_JOIN, () => {
          // Or it would notice itself that an offset does not exist, and commit another.
          consumer.pause([{ topic }])
          resolve()
        }),
      )
      await consumer.run({ autoCommit: false, eachBatch: () => Promise.resolve() })
      await joined
      await consumer.commitOffsets(
        offsets.map(({ partition, offset, metadata }) => ({ topic, partition, offset: String(offset), metadata })),
      )
    } finally {
      await consumer.disconnect()
    }
    const found = await admin.committed(group, topic)
    return offsets.every(({ partition, offset }) => found.get(partition)?.offset === offset)
  })
}
