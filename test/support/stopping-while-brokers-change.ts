/**
 * A consumer that is stopped at the moment when kafkajs sees another set of brokers and makes its fetchers anew: the entry of a
 * child process, because where this goes wrong the event loop starves and no test in this process could say so.
 * Arguments: broker, topic, group. Prints "stopped" when the stop is done.
 */
import { createKafka } from '../../services/shared/io/kafka.ts'
import { startLogConsumer, type LogConsumer } from '../../services/shared/io/kafka-consumer.ts'
import { createLogger } from '../../services/shared/io/log.ts'
import ConsumerGroup from 'kafkajs/src/consumer/consumerGroup.js'

const [broker, topic, group] = process.argv.slice(2) as [string, string, string]
const log = createLogger({ service: 'test', level: 'silent', pretty: false })
const stock = Object.getOwnPropertyDescriptor(ConsumerGroup.prototype, 'getNodeIds')!.value as () => string[]
const started: { consumer?: LogConsumer; stopping?: Promise<void> | undefined } = {}

/** Leads no partition, so that its fetcher only waits. */
const goingBroker = '99'

// The fetcher that sees the change ends; kafkajs waits for the other one before it makes both anew, and meets the stop there.
ConsumerGroup.prototype.getNodeIds = function () {
  const nodeIds = stock.call(this)
  if (started.stopping !== undefined) {
    return nodeIds
  }
  started.stopping = started.consumer?.stop()
  return started.stopping === undefined ? [...nodeIds, goingBroker] : nodeIds
}

started.consumer = await startLogConsumer({
  kafka: createKafka({ brokers: [broker], clientId: 'test', ssl: false }, log),
  ...{ topic, group, log, decoder: 'lean' },
  ...{ sessionTimeoutMs: 2_000, rebalanceTimeoutMs: 5_000, metadataMaxAgeMs: 1_000 },
  ...{ fetchBytesMin: 1, fetchBytesMax: 100_000, fetchWaitMs: 50, partitionsInFlight: 2 },
  onJoin: () => undefined,
  onBatch: () => Promise.resolve(),
  onSkipped: () => undefined,
  onHeard: () => undefined,
})
await started.consumer.ended
await started.stopping
process.stdout.write('stopped\n')
process.exit()
