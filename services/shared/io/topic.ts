import type { KafkaAdmin } from './kafka-admin.ts'

/**
 * Creates the topic of the log, or adds the partitions it lacks.
 *
 * The broker refuses records whose timestamp lies an hour ahead or a week back: the timestamp is the time of sending, and
 * fates are decided against it. (A topic that others created may lack these bounds; then a wrong clock shows as rejections.)
 * Adding partitions separates copies of an event sent before from those sent after: they are then no longer found.
 */
export function ensureLogTopic(admin: KafkaAdmin, options: { topic: string; partitions: number; replicas: number }) {
  return admin.ensureTopic({
    ...options,
    configs: {
      'message.timestamp.type': 'CreateTime',
      'message.timestamp.after.max.ms': String(3_600_000),
      'message.timestamp.before.max.ms': String(7 * 86_400_000),
    },
  })
}
