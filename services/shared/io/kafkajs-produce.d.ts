/** kafkajs' Produce requests by version: what `kafka-record-encoder.ts` stands in for. kafkajs looks one up for each request. */
declare module 'kafkajs/src/protocol/requests/produce/index.js' {
  interface Request {
    readonly request: { encode: () => Promise<unknown> }
    readonly response: unknown
  }
  const produce: { protocol: (lookup: { version: number }) => (asked: object) => Request }
  export default produce
}
