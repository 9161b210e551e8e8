/** The topic of the bench: the same simulated events on every run, in Avro, and as JSON for who reads that. */
import type { LocalStack } from '../../services/local/stack.ts'
import { parseSimulationFlags } from '../../services/producer/simulation-options.ts'
import { simulate, type SimulationSummary } from '../../services/producer/simulate.ts'
import type { KafkaAdmin } from '../../services/shared/io/kafka-admin.ts'
import { createLogProducer } from '../../services/shared/io/kafka-producer.ts'
import type { Kafka } from '../../services/shared/io/kafka.ts'
import { createTwinProducer } from './json-twin.ts'

/** Of a topic, where the bench says nothing else. */
export const partitions = 4
const seed = 20_260_101

export interface FillDeps {
  readonly stack: LocalStack
  readonly kafka: Kafka
  readonly admin: KafkaAdmin
}

/** Fills `topic`, and `jsonTopic` beside it unless it is undefined. Resolves with the known truth. */
export async function fillTopics(
  options: { topic: string; jsonTopic: string | undefined; events: number; malformed: number; partitions?: number },
  { stack, kafka, admin }: FillDeps,
): Promise<SimulationSummary> {
  const open = async (topic: string) => {
    await admin.ensureTopic({ topic, partitions: options.partitions ?? partitions, replicas: 1, configs: {} })
    return createLogProducer({ kafka, topic })
  }
  const avroProducer = await open(options.topic)
  const producer =
    options.jsonTopic === undefined
      ? avroProducer
      : await createTwinProducer(avroProducer, await open(options.jsonTopic))
  const { events, malformed } = options
  try {
    return await simulate(
      parseSimulationFlags({ events, days: 14, duplicates: 0.01, malformed, schemaVersion: '2', seed }, Date.now()),
      {
        producer,
        householdKey: Buffer.from(stack.secrets.householdKey, 'hex'),
        signal: new AbortController().signal,
      },
    )
  } finally {
    await producer.disconnect()
  }
}
