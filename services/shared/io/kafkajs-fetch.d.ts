/** kafkajs' decoder of Fetch answers, version 11: what `kafka-record-decoder.ts` stands in for. kafkajs looks it up at each answer. */
declare module 'kafkajs/src/protocol/requests/fetch/v11/response.js' {
  const fetchResponse: { decode: (payload: Buffer) => Promise<unknown> }
  export default fetchResponse
}
