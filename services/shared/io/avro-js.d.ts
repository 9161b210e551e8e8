/** avro-js ships no types; this is the part of it that we use. */
declare module 'avro-js' {
  export interface AvroType {
    toBuffer(value: unknown): Buffer
    fromBuffer(buffer: Buffer): unknown
    isValid(value: unknown): boolean
    getSchema(): string
  }
  export function parse(schema: unknown): AvroType
  const avro: { parse: typeof parse }
  export default avro
}
