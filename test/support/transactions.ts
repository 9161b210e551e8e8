import kafkajs from 'kafkajs'
import type { Message } from 'kafkajs'

import type { PipelineCase } from './pipeline-case.ts'
import { uniqueName } from './stack.ts'

type Sends = readonly (readonly Message[])[]

/** Sends to partition 0 in transactions. */
export async function transactions(work: PipelineCase, t: { after(clean: () => Promise<void>): void }) {
  const producer = work.kafka.producer({
    transactionalId: uniqueName('transactions'),
    idempotent: true,
    maxInFlightRequests: 1,
    transactionTimeout: 60_000,
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  })
  await producer.connect()
  t.after(() => producer.disconnect())
  const begin = async (...sends: Sends) => {
    const transaction = await producer.transaction()
    for (const messages of sends) {
      await transaction.send({
        topic: work.topic,
        messages: messages.map((message) => ({ ...message, partition: 0, timestamp: String(Date.now()) })),
      })
    }
    return transaction
  }
  return {
    begin,
    commit: async (...sends: Sends) => (await begin(...sends)).commit(),
    abort: async (...sends: Sends) => (await begin(...sends)).abort(),
  }
}
