/** What an administrator, or time, does to a log. */
import type { PipelineCase } from './pipeline-case.ts'
import { waitFor } from './wait-for.ts'

export async function asAdmin(
  work: PipelineCase,
  act: (admin: ReturnType<PipelineCase['kafka']['admin']>) => Promise<unknown>,
) {
  const admin = work.kafka.admin()
  await admin.connect()
  try {
    await act(admin)
  } finally {
    await admin.disconnect()
  }
}

/** As retention does: what stands before the offset is gone. */
export async function deleteBefore(work: PipelineCase, offset: number): Promise<void> {
  await asAdmin(work, async (admin) => {
    // Loads the metadata that deleteTopicRecords wants and does not ask for (kafkajs 2.2.4).
    await admin.fetchTopicOffsets(work.topic)
    await admin.deleteTopicRecords({ topic: work.topic, partitions: [{ partition: 0, offset: String(offset) }] })
  })
}

/** Deletes the topic and makes it under its name. */
export async function makeAnew(work: PipelineCase): Promise<void> {
  await asAdmin(work, async (admin) => {
    await admin.deleteTopics({ topics: [work.topic] })
    await waitFor('the topic to be gone', async () => !(await admin.listTopics()).includes(work.topic))
  })
  await waitFor('the topic to be made', async () => {
    await work.admin.ensureTopic({ topic: work.topic, partitions: 1, replicas: 1, configs: {} })
    return true
  })
}
