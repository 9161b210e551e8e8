import { readFileSync, statSync } from 'node:fs'
import { basename } from 'node:path'

import { isMap, isNode, isScalar, LineCounter, parseDocument, type Document } from 'yaml'
import type { z } from 'zod'

import { messageOf, mistake } from '../shared/domain/faults.ts'
import { canonicalHash } from '../shared/io/canonical-hash.ts'
import type { Rule } from './rule.ts'
import { contradictionsOf, type Mistake } from './rule-contradictions.ts'
import { ruleFromForm } from './rule-from-form.ts'
import { ruleForm, rulesFileForm, type RuleForm } from './rules-schema.ts'

export interface LoadedRules {
  readonly rules: Rule[]
  /** Names the content, defaults and all; not the way it is written. */
  readonly hash: string
}

/** Reads and checks a rules file. Throws one mistake that lists all, one a line, each with line, rule, field and what to do. */
export function loadRules(path: string): LoadedRules {
  return parseRules(readText(path), basename(path))
}

/** The same of a text; `file` is how mistakes name it. */
export function parseRules(text: string, file: string): LoadedRules {
  const { doc, lines, value } = readYaml(text, file)
  const parsed = rulesFileForm.safeParse(value)
  const issues = parsed.error?.issues ?? []
  const forms = parsed.data?.rules ?? readableForms(value, issues)
  const found = [
    ...issues.flatMap((issue) => mistakesOf(issue, value)),
    ...forms.flatMap((form, at) =>
      contradictionsOf(form).map(({ path, says }) => ({ path: ['rules', at, ...path], says })),
    ),
    ...sameNames(forms),
  ]
  if (found.length > 0 || !parsed.success) {
    const told = found.map((one) => ({ line: lineOf(doc, lines, one.path), sentence: sentenceOf(one, value) }))
    told.sort((a, b) => a.line - b.line)
    throw refused(told.map(({ line, sentence }) => `${file}:${line}: ${sentence}`))
  }
  const rules = parsed.data.rules.map(ruleFromForm)
  return { rules, hash: canonicalHash(rules) }
}

const fileBytesMax = 4 * 1_048_576
const shownMax = 60

/** Exit code 2, as for any bad setting. */
const refused = (sentences: readonly string[]) => mistake(sentences.join('\n'), 'config_invalid')

function readText(path: string): string {
  let bytes: number
  try {
    bytes = statSync(path).size
    if (bytes <= fileBytesMax) {
      return readFileSync(path, 'utf8')
    }
  } catch (thrown) {
    throw refused([`${path} can't be read: ${messageOf(thrown)}; name a file of rules`])
  }
  throw refused([`${path} has ${bytes} bytes, and a file of rules at most ${fileBytesMax}; split it`])
}

function readYaml(text: string, file: string): { doc: Document; lines: LineCounter; value: unknown } {
  const lines = new LineCounter()
  const doc = parseDocument(text, { lineCounter: lines, prettyErrors: false, version: '1.2' })
  const faults = [...doc.errors, ...doc.warnings]
  if (faults.length > 0) {
    throw refused(
      faults.map(({ pos, message }) => {
        const { line, col } = lines.linePos(pos[0])
        return `${file}:${line}: column ${col} is no good YAML: ${message.replace(/; please use .*/, '')}; mend it, then the rules are checked`
      }),
    )
  }
  try {
    return { doc, lines, value: doc.toJS() as unknown }
  } catch (thrown) {
    throw refused([`${file}:1: its aliases can't be resolved: ${messageOf(thrown)}; write out what they stand for`])
  }
}

/** Of each rule the fields that have no mistake of their own, with defaults for what is left out. */
function readableForms(value: unknown, issues: readonly z.core.$ZodIssue[]): Partial<RuleForm>[] {
  const list = isRecord(value) && Array.isArray(value['rules']) ? (value['rules'] as unknown[]) : []
  const bad = Map.groupBy(issues, ({ path }) => path[1])
  return list.map((rule, at) => {
    if (!isRecord(rule)) {
      return {}
    }
    const wrong = new Set(bad.get(at)?.map(({ path }) => path[2]))
    const fine = Object.keys(ruleForm.shape).filter((key) => !wrong.has(key))
    const picked = Object.fromEntries(fine.map((key) => [key, true])) as Record<keyof RuleForm, true>
    const given = Object.fromEntries(Object.entries(rule).filter(([key]) => fine.includes(key)))
    return ruleForm.pick(picked).safeParse(given).data ?? {}
  })
}

function mistakesOf(issue: z.core.$ZodIssue, value: unknown): Mistake[] {
  const { path } = issue
  if (issue.code === 'unrecognized_keys') {
    const known = knownFields(path)
    return issue.keys.map((key) => ({ path: [...path, key], says: `is no field; take ${known.join(', ')}` }))
  }
  if (issue.code === 'invalid_key') {
    return [{ path, says: `is no good name; ${issue.issues[0]?.message ?? issue.message}` }]
  }
  const given = at(value, path)
  return [{ path, says: `${given === undefined ? 'is missing' : `is ${shown(given)}`}; ${issue.message}` }]
}

/** The fields where an unknown one stands: of the file, of a rule, or of a part of a rule. */
function knownFields(path: readonly PropertyKey[]): string[] {
  if (path.length === 0) {
    return Object.keys(rulesFileForm.shape)
  }
  const inner = { ...ruleForm.shape }[String(path[2])]
  const shape = path.length === 2 ? ruleForm : inner !== undefined && 'unwrap' in inner ? inner.unwrap() : inner
  return Object.keys((shape as z.ZodObject).shape)
}

function sameNames(forms: readonly Partial<RuleForm>[]): Mistake[] {
  const first = new Map<string, number>()
  return forms.flatMap(({ name }, index) => {
    if (name === undefined) {
      return []
    }
    const earlier = first.get(name)
    if (earlier === undefined) {
      first.set(name, index)
      return []
    }
    return [
      {
        path: ['rules', index, 'name'],
        says: `is the name of rule ${earlier + 1}, too; give each rule a name of its own`,
      },
    ]
  })
}

/** `rule 2 "broad_share_falls": condition.drops is ...` */
function sentenceOf({ path, says }: Mistake, value: unknown): string {
  if (path[0] !== 'rules' || path.length === 1) {
    return `${fieldOf(path) || 'the file'} ${says}`
  }
  const name = at(value, ['rules', path[1]!, 'name'])
  const rule = `rule ${Number(path[1]) + 1}${typeof name === 'string' ? ` ${shown(name)}` : ''}`
  return path.length === 2 ? `${rule} ${says}` : `${rule}: ${fieldOf(path.slice(2))} ${says}`
}

/** `condition.drops`, `by item 2`. */
function fieldOf(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (field, key) => (typeof key === 'number' ? `${field} item ${key + 1}` : `${field && `${field}.`}${String(key)}`),
    '',
  )
}

/** The line of a field, or of what it is missing in. */
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

function at(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null ? (inner as Record<PropertyKey, unknown>)[key] : undefined,
    value,
  )
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A value as a sentence may repeat it. */
function shown(value: unknown): string {
  if (value === null) {
    return 'empty'
  }
  if (typeof value === 'object') {
    return Array.isArray(value) ? `a list of ${value.length}` : 'a map'
  }
  const text = typeof value === 'number' ? String(value) : JSON.stringify(value)
  return text.length > shownMax ? `${text.slice(0, shownMax)}...` : text
}
