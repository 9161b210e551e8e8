import { basename } from 'node:path'

import type { z } from 'zod'

import { canonicalHash } from '../shared/io/canonical-hash.ts'
import {
  fieldMistakes,
  fieldName,
  parseYaml,
  readYamlFile,
  refusedFields,
  shownValue,
  valueAt,
  type FieldMistake,
} from '../shared/io/yaml-file.ts'
import type { Rule } from './rule.ts'
import { contradictionsOf } from './rule-contradictions.ts'
import { ruleFromForm } from './rule-from-form.ts'
import { ruleForm, rulesFileForm, type RuleForm } from './rules-schema.ts'

export interface LoadedRules {
  readonly rules: Rule[]
  /** Names the content, defaults and all; not the way it is written. */
  readonly hash: string
}

/** Reads and checks a rules file. Throws one mistake that lists all, one a line, each with line, rule, field and what to do. */
export function loadRules(path: string): LoadedRules {
  return parseRules(readYamlFile(path, 'a file of rules'), basename(path))
}

/** The same of a text; `file` is how mistakes name it. */
export function parseRules(text: string, file: string): LoadedRules {
  const { value, lineOf } = parseYaml(text, file)
  const parsed = rulesFileForm.safeParse(value)
  const issues = parsed.error?.issues ?? []
  const forms = parsed.data?.rules ?? readableForms(value, issues)
  const found = [
    ...issues.flatMap((issue) => fieldMistakes(issue, value, rulesFileForm)),
    ...forms.flatMap((form, at) =>
      contradictionsOf(form).map(({ path, says }) => ({ path: ['rules', at, ...path], says })),
    ),
    ...sameNames(forms),
  ]
  if (found.length > 0 || !parsed.success) {
    throw refusedFields(file, found, { lineOf, sentenceOf: (one) => sentenceOf(one, value) })
  }
  const rules = parsed.data.rules.map(ruleFromForm)
  return { rules, hash: canonicalHash(rules) }
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

function sameNames(forms: readonly Partial<RuleForm>[]): FieldMistake[] {
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
function sentenceOf({ path, says }: FieldMistake, value: unknown): string {
  if (path[0] !== 'rules' || path.length === 1) {
    return `${fieldName(path) || 'the file'} ${says}`
  }
  const name = valueAt(value, ['rules', path[1]!, 'name'])
  const rule = `rule ${Number(path[1]) + 1}${typeof name === 'string' ? ` ${shownValue(name)}` : ''}`
  return path.length === 2 ? `${rule} ${says}` : `${rule}: ${fieldName(path.slice(2))} ${says}`
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
