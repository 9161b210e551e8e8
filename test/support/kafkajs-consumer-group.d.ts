/** kafkajs' view of its group: a test makes it see another set of brokers. */
declare module 'kafkajs/src/consumer/consumerGroup.js' {
  export default class ConsumerGroup {
    getNodeIds(): string[]
  }
}
