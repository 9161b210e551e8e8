/** The product itself, as `npx intent-ledger classify` runs it, until it has settled the given number of messages. */
import { runClassifier } from '../../services/classifier/main.ts'
import { startLogConsumer } from '../../services/shared/io/kafka-consumer.ts'
import { createStopwatch } from './contender.ts'

const messages = Number(process.argv[2])
const stopwatch = createStopwatch()
const stop = new AbortController()
let settled = 0

await runClassifier(process.env, stop.signal, (parts) => ({
  ...parts,
  metrics: {
    ...parts.metrics,
    batchSettled(batch) {
      parts.metrics.batchSettled(batch)
      settled += batch.tally.messages
      if (settled >= messages) {
        stopwatch.stored()
        stop.abort()
      }
    },
  },
  startConsumer: (options) =>
    startLogConsumer({
      ...options,
      onJoin(partitions, seek) {
        stopwatch.joined()
        options.onJoin(partitions, seek)
      },
    }),
}))
stopwatch.print(settled)
