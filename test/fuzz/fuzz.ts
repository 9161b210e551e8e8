import { readFileSync } from 'node:fs'

import { createRandom } from '../../services/producer/random.ts'
import { parseSchema, type RecordNode } from '../../services/shared/domain/avro-schema.ts'
import { randomCaptures } from './captured-fields.ts'
import { createJudge, Disagreement } from './judge.ts'
import { bodyKinds, randomBody, type BodyKind, type RandomBody } from './random-body.ts'
import { randomSchema } from './random-schema.ts'

export interface FuzzCount {
  bodies: Record<BodyKind, number>
  schemas: number
  accepted: number
  refused: number
  /** Bodies that avro-js takes and the walker refuses, by the known difference. */
  differences: Record<string, number>
}

/** A body on which the judges differ, with all it takes to see it again. */
export interface FuzzFailure {
  readonly seed: number
  readonly index: number
  readonly what: string
  readonly schema: unknown
  readonly captures: readonly string[]
  readonly kind: BodyKind
  readonly hex: string
  readonly walker: string
  readonly avroJs: string
}

/** What the walker may refuse though the specification allows it. */
const ownBounds = ['more items than bytes', 'too deep']
export const bodiesPerSchema = 100
const versions = [1, 2].map((version): unknown =>
  JSON.parse(readFileSync(new URL(`../../schemas/assistant-intent-event/v${version}.avsc`, import.meta.url), 'utf8')),
)

/** A schema by its number: every fifth is one of the shipped versions in turn, the others are random. */
export function schemaAt(seed: number, number: number): { json: unknown; captures: string[] } {
  const random = createRandom(seed, 1, number)
  const json = number % 5 === 0 ? versions[(number / 5) % versions.length] : randomSchema(random)
  return { json, captures: randomCaptures(random, parseSchema(json) as RecordNode) }
}

/** The body of that number: the same for a seed, whichever others are drawn. */
export function bodyAt(seed: number, index: number, root: RecordNode): RandomBody {
  return randomBody(createRandom(seed, 2, index), root)
}

/** Judges `bodies` bodies; stops at the first on which the judges differ. `onBody` hears each number before its walk. */
export function fuzz(
  options: { seed: number; bodies: number },
  onBody: (index: number) => void = () => undefined,
): { count: FuzzCount; failure: FuzzFailure | undefined } {
  const { seed, bodies } = options
  const count: FuzzCount = {
    bodies: Object.fromEntries(bodyKinds.map((kind) => [kind, 0])) as Record<BodyKind, number>,
    schemas: 0,
    accepted: 0,
    refused: 0,
    differences: {},
  }
  for (let first = 0; first < bodies; first += bodiesPerSchema) {
    const { json, captures } = schemaAt(seed, first / bodiesPerSchema)
    const root = parseSchema(json) as RecordNode
    const judge = createJudge(json, captures)
    count.schemas += 1
    for (let index = first; index < Math.min(first + bodiesPerSchema, bodies); index++) {
      const { kind, bytes, after } = bodyAt(seed, index, root)
      onBody(index)
      try {
        const { accepted, reason = '', differs } = judge(bytes, after)
        if (kind === 'valid' && !accepted && !ownBounds.includes(reason)) {
          throw new Disagreement('a valid body is refused', 'refuses', differs ? 'accepts' : 'refuses')
        }
        count.bodies[kind] += 1
        count[accepted ? 'accepted' : 'refused'] += 1
        if (differs) {
          count.differences[reason] = (count.differences[reason] ?? 0) + 1
        }
      } catch (thrown) {
        if (!(thrown instanceof Disagreement)) {
          throw thrown
        }
        const { message: what, walker, avroJs } = thrown
        const hex = bytes.toString('hex')
        return { count, failure: { seed, index, what, schema: json, captures, kind, hex, walker, avroJs } }
      }
    }
  }
  return { count, failure: undefined }
}
