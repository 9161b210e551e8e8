import { readFileSync, statSync } from 'node:fs'

import { isMap, isNode, isScalar, LineCounter, parseDocument, type Document } from 'yaml'
import type { z } from 'zod'

import { messageOf, mistake } from '../domain/faults.ts'

/** A field of a file and what is wrong with it, as the second half of a sentence. */
export interface FieldMistake {
  readonly path: readonly PropertyKey[]
  readonly says: string
}

export interface YamlText {
  readonly value: unknown
  /** The line of a field, or of what it is missing in; from 1. */
  readonly lineOf: (path: readonly PropertyKey[]) => number
}

/** Exit code 2, as for any bad setting. */
export const refusedFile = (sentences: readonly string[]) => mistake(sentences.join('\n'), 'config_invalid')

/** The mistakes of a file in the order of their lines; `sentenceOf` is what each says behind file and line. */
export function refusedFields<T extends Pick<FieldMistake, 'path'>>(
  file: string,
  found: readonly T[],
  { lineOf, sentenceOf }: Pick<YamlText, 'lineOf'> & { sentenceOf: (mistake: T) => string },
) {
  const told = found.map((one) => ({ line: lineOf(one.path), sentence: sentenceOf(one) }))
  told.sort((a, b) => a.line - b.line)
  return refusedFile(told.map(({ line, sentence }) => `${file}:${line}: ${sentence}`))
}

/** The text of a file that people write; `what` is what it should be, e.g. `a file of rules`. */
export function readYamlFile(path: string, what: string): string {
  let bytes: number
  try {
    bytes = statSync(path).size
    if (bytes <= fileBytesMax) {
      return readFileSync(path, 'utf8')
    }
  } catch (thrown) {
    throw refusedFile([`${path} can't be read: ${messageOf(thrown)}; name ${what}`])
  }
  throw refusedFile([`${path} has ${bytes} bytes, and ${what} at most ${fileBytesMax}; split it`])
}

/** YAML 1.2 of one document; `file` is how mistakes name it. */
export function parseYaml(text: string, file: string): YamlText {
  const lines = new LineCounter()
  const doc = parseDocument(text, { lineCounter: lines, prettyErrors: false, version: '1.2' })
  const faults = [...doc.errors, ...doc.warnings]
  if (faults.length > 0) {
    throw refusedFile(
      faults.map(({ pos, message }) => {
        const { line, col } = lines.linePos(pos[0])
        return `${file}:${line}: column ${col} is no good YAML: ${message.replace(/; please use .*/, '')}; mend it, then the rest is checked`
      }),
    )
  }
  try {
    return { value: doc.toJS() as unknown, lineOf: (path) => lineOf(doc, lines, path) }
  } catch (thrown) {
    throw refusedFile([`${file}:1: its aliases can't be resolved: ${messageOf(thrown)}; write out what they stand for`])
  }
}

/** What zod found, by field. Messages of `form` are the second half of a sentence: what to write. */
export function fieldMistakes(issue: z.core.$ZodIssue, value: unknown, form: z.ZodObject): FieldMistake[] {
  const { path } = issue
  if (issue.code === 'unrecognized_keys') {
    const known = knownFields(form, path)
    return issue.keys.map((key) => ({ path: [...path, key], says: `is no field; take ${known.join(', ')}` }))
  }
  if (issue.code === 'invalid_key') {
    return [{ path, says: `is no good name; ${issue.issues[0]?.message ?? issue.message}` }]
  }
  const given = valueAt(value, path)
  return [{ path, says: `${given === undefined ? 'is missing' : `is ${shownValue(given)}`}; ${issue.message}` }]
}

/** `condition.drops`, `by item 2`. */
export function fieldName(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (field, key) => (typeof key === 'number' ? `${field} item ${key + 1}` : `${field && `${field}.`}${String(key)}`),
    '',
  )
}

export function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null ? (inner as Record<PropertyKey, unknown>)[key] : undefined,
    value,
  )
}

/** A value as a sentence may repeat it. */
export function shownValue(value: unknown): string {
  if (value === null) {
    return 'empty'
  }
  if (typeof value === 'object') {
    return Array.isArray(value) ? `a list of ${value.length}` : 'a map'
  }
  const text = typeof value === 'number' ? String(value) : JSON.stringify(value)
  return text.length > shownMax ? `${text.slice(0, shownMax)}...` : text
}

const fileBytesMax = 4 * 1_048_576
const shownMax = 60

/** The fields where an unknown one stands. */
function knownFields(form: z.ZodObject, path: readonly PropertyKey[]): string[] {
  let inner: unknown = form
  for (const key of path) {
    const known = withoutDefault(inner)
    inner = typeof key === 'number' ? (known as z.ZodArray).element : (known as z.ZodObject).shape[String(key)]
  }
  return Object.keys((withoutDefault(inner) as z.ZodObject).shape)
}

/** The form inside of an optional field, or one with a default. */
function withoutDefault(form: unknown): unknown {
  return typeof form === 'object' && form !== null && 'unwrap' in form && !('element' in form)
    ? withoutDefault((form as z.ZodOptional).unwrap())
    : form
}

function lineOf(doc: Document, lines: LineCounter, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length -= 1) {
    const parent = length === 1 ? doc.contents : doc.getIn(path.slice(0, length - 1), true)
    const last = path[length - 1]
    const key = isMap(parent) ? parent.items.find(({ key }) => isScalar(key) && key.value === last)?.key : undefined
    const node = isNode(key) ? key : doc.getIn(path.slice(0, length), true)
    if (isNode(node) && node.range) {
      return lines.linePos(node.range[0]).line
    }
  }
  return 1
}
