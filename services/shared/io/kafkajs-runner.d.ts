/** kafkajs' consumer loop: `kafka.ts` mends its `fetch`. */
declare module 'kafkajs/src/consumer/runner.js' {
  export default class Runner {
    readonly running: boolean
    fetch(nodeId: number): Promise<unknown[]>
  }
}
