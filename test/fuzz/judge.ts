import type { RecordNode } from '../../services/shared/domain/avro-schema.ts'
import { parseSchema } from '../../services/shared/domain/avro-schema.ts'
import { compileWalker } from '../../services/shared/domain/walker.ts'
import { readAvro } from '../support/avro-reference.ts'
import { createAvroJsOracle } from './avro-js-oracle.ts'
import { wrongCapture } from './captured-fields.ts'
import { excuse } from './known-differences.ts'
import { isSame } from './same-value.ts'

/** What came of a body on which walker, specification and avro-js agree, but for a known difference. */
export interface Agreement {
  readonly accepted: boolean
  /** Why the walker refuses it, when that is a key of `knownDifferences`. */
  readonly reason: string | undefined
  /** Whether avro-js takes it nevertheless. */
  readonly differs: boolean
}

/** Two judges differ, or the walker threw, was slow, or read or wrote outside. */
export class Disagreement extends Error {
  readonly walker: string
  readonly avroJs: string
  constructor(what: string, walker: string, avroJs: string) {
    super(what)
    this.walker = walker
    this.avroJs = avroJs
  }
}

/** A walk takes microseconds. The lowest of three counts: a busy machine may stop any one of them. */
const walkMsMax = 20
const canaries = 4

/** Judges bodies of one schema. Throws a Disagreement. */
export function createJudge(
  json: unknown,
  captures: readonly string[],
): (body: Buffer, after: Uint8Array) => Agreement {
  const root = parseSchema(json) as RecordNode
  const walker = compileWalker(root, captures)
  const askAvroJs = createAvroJsOracle(json)
  const slots = captures.length * 2

  /** Walks a body between `before` and `after`; the offsets count from the body's start. */
  function walk(body: Buffer, before: Uint8Array, after: Uint8Array): { end: number; at: Int32Array } {
    const around = Buffer.concat([before, body, after])
    const at = new Int32Array(slots + canaries).fill(7_777)
    let end = 0
    let fastestMs = Infinity
    for (let turn = 0; turn < 3 && fastestMs > walkMsMax; turn++) {
      const startedMs = performance.now()
      end = walker.walk(around, before.length, before.length + body.length, at)
      fastestMs = Math.min(fastestMs, performance.now() - startedMs)
    }
    if (fastestMs > walkMsMax) {
      throw new Error(`walked for ${fastestMs} ms`)
    }
    if (at.subarray(slots).some((canary) => canary !== 7_777)) {
      throw new Error('wrote beyond its captures')
    }
    const shift = before.length
    const spans = at.subarray(0, slots).map((offset) => (offset < 0 ? offset : offset - shift))
    return { end: end < 0 ? end : end - shift, at: spans }
  }

  return (body, after) => {
    const answer = askAvroJs(body)
    const avroJs = answer.accepts ? 'accepts' : `refuses: ${answer.why}`
    const differ = (what: string, walked: string): never => {
      throw new Disagreement(what, walked, avroJs)
    }
    let walked: { end: number; at: Int32Array }
    try {
      walked = walk(body, nothing, nothing)
      for (const [before, behind] of surroundings(after)) {
        const again = walk(body, before, behind)
        if (again.end !== walked.end || !sameOffsets(again.at, walked.at)) {
          differ('what stands around the body changes the walk', `${walked.end}, then ${again.end}`)
        }
      }
    } catch (thrown) {
      if (thrown instanceof Disagreement) {
        throw thrown
      }
      return differ('the walk failed', String(thrown))
    }
    const { end, at } = walked
    const verdict = end < 0 ? 'refuses' : `ends at ${end} of ${body.length}`
    const reading = readAvro(root, body)
    const reason = excuse(reading)
    const { found } = reading
    if (typeof reading.end === 'number' ? end !== reading.end && !(end === -1 && reason !== undefined) : end !== -1) {
      differ(`the specification says ${reading.end}`, verdict)
    }
    const accepted = end === body.length
    if (accepted !== answer.accepts && !(answer.accepts && reason !== undefined)) {
      differ('avro-js and the walker differ', verdict)
    }
    if (accepted && answer.accepts && !isSame(found!, answer.value)) {
      differ('avro-js and the specification differ in a value', verdict)
    }
    const wrong =
      end < 0 ? undefined : wrongCapture({ captures, body, at }, found!, answer.accepts ? answer.value : undefined)
    if (wrong !== undefined) {
      differ(wrong, verdict)
    }
    return { accepted, reason: accepted ? undefined : reason, differs: accepted !== answer.accepts }
  }
}

const nothing = new Uint8Array(0)
const zeros = new Uint8Array(24)
const neverEnding = new Uint8Array(24).fill(0xff)

/** The body alone in its buffer; between zeros; between bytes that never end a varint; before what it was cut off from. */
function surroundings(after: Uint8Array): [Uint8Array, Uint8Array][] {
  return [
    [zeros.subarray(0, 5), zeros],
    [neverEnding, neverEnding],
    [zeros.subarray(0, 3), after.length === 0 ? zeros.subarray(0, 1) : after],
  ]
}

function sameOffsets(left: Int32Array, right: Int32Array): boolean {
  return left.every((offset, index) => offset === right[index])
}
