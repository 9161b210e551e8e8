import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

import { z } from 'zod'

import { messageOf, mistake } from '../domain/faults.ts'
import { outcomes, patternCovers, type Taxonomy, type TaxonomyRule } from '../domain/taxonomy.ts'
import { canonicalHash } from './canonical-hash.ts'

/** Where the versions of the taxonomy stand: `v1.json`, `v2.json`, ... */
export const taxonomyFolder = join(import.meta.dirname, '../../../schemas/taxonomy')

const identifier = z.string().regex(/^[a-z][a-z0-9_]{0,63}$/, 'must be lower case letters, digits and _')
const pattern = z.string().regex(/^(\*|[a-z][a-z0-9_]*\*?)$/, 'must be an intent, a prefix ending in *, or *')

const ruleSchema = z.strictObject({
  id: identifier,
  valueClass: z.enum(['direct', 'assisted', 'entitlement', 'free', 'not_a_request']),
  intents: z.array(pattern).min(1),
  outcomes: z.array(z.enum(outcomes)).min(1).optional(),
  plans: z.array(identifier).min(1).optional(),
  purchase: z.boolean().optional(),
})

const taxonomySchema = z.strictObject({
  version: z.int().min(1).max(65_535),
  description: z.string(),
  rules: z.array(ruleSchema).min(1),
})

export interface LoadedTaxonomy {
  readonly taxonomy: Taxonomy
  /** Names the content in a plan. */
  readonly hash: string
  readonly file: string
}

/** Loads and checks one file. A fault names the file, the rule and the reason; all faults of a file are reported together. */
export function loadTaxonomyFile(file: string): LoadedTaxonomy {
  const name = basename(file)
  const parsed = taxonomySchema.safeParse(readJson(file))
  if (!parsed.success) {
    throw mistake(
      parsed.error.issues.map((issue) => `${name}: ${where(issue.path)}: ${issue.message}`).join('\n'),
      'file_invalid',
    )
  }
  const taxonomy: Taxonomy = parsed.data
  const faults = ruleFaults(taxonomy)
  if (faults.length > 0) {
    throw mistake(faults.map((fault) => `${name}: ${fault}`).join('\n'), 'file_invalid')
  }
  return { taxonomy, hash: canonicalHash(taxonomy), file }
}

/** Loads one version of the shipped taxonomies. */
export function loadTaxonomy(version: number, folder = taxonomyFolder): LoadedTaxonomy {
  const file = join(folder, `v${version}.json`)
  if (!taxonomyVersions(folder).includes(version)) {
    throw mistake(
      `there is no taxonomy version ${version}; there are ${taxonomyVersions(folder).join(', ')}`,
      'file_invalid',
    )
  }
  const loaded = loadTaxonomyFile(file)
  if (loaded.taxonomy.version !== version) {
    throw mistake(
      `v${version}.json says version ${loaded.taxonomy.version}; name and version must agree`,
      'file_invalid',
    )
  }
  return loaded
}

export function taxonomyVersions(folder = taxonomyFolder): number[] {
  return readdirSync(folder)
    .map((name) => /^v(\d+)\.json$/.exec(name)?.[1])
    .filter((found) => found !== undefined)
    .map(Number)
    .sort((a, b) => a - b)
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (thrown) {
    throw mistake(`${file} can't be read as JSON: ${messageOf(thrown)}`, 'file_invalid')
  }
}

function where(path: readonly PropertyKey[]): string {
  return path[0] === 'rules' && path.length > 1
    ? `rule ${Number(path[1]) + 1}${path.length > 2 ? `, ${path.slice(2).join('.')}` : ''}`
    : path.join('.') || 'the file'
}

/** What zod can't see: ids used twice, classes that contradict the contract, rules that can never decide. */
function ruleFaults(taxonomy: Taxonomy): string[] {
  const faults: string[] = []
  taxonomy.rules.forEach((rule, index) => {
    const earlier = taxonomy.rules.slice(0, index)
    const name = `rule ${index + 1} "${rule.id}"`
    if (earlier.some((other) => other.id === rule.id)) {
      faults.push(`${name}: its id is used by an earlier rule`)
    }
    if (rule.valueClass === 'direct' && !(rule.outcomes?.length === 1 && rule.outcomes[0] === 'fulfilled')) {
      faults.push(`${name}: class direct needs outcomes ["fulfilled"], a transaction that was not made earns nothing`)
    }
    if (rule.valueClass === 'entitlement' && rule.plans === undefined && rule.outcomes === undefined) {
      faults.push(
        `${name}: class entitlement must name the plans (or at least the outcomes) that make its intents worth something`,
      )
    }
    const cover = earlier.find((other) => coversAll(other, rule))
    if (cover !== undefined) {
      faults.push(`${name}: can never decide, rule "${cover.id}" before it matches all it matches`)
    }
  })
  return faults
}

function coversAll(earlier: TaxonomyRule, later: TaxonomyRule): boolean {
  const within = <T>(narrow: readonly T[] | undefined, wide: readonly T[] | undefined) =>
    wide === undefined || (narrow !== undefined && narrow.every((item) => wide.includes(item)))
  return (
    later.intents.every((intent) => earlier.intents.some((wide) => patternCovers(wide, intent))) &&
    within(later.outcomes, earlier.outcomes) &&
    within(later.plans, earlier.plans) &&
    (earlier.purchase === undefined || earlier.purchase === later.purchase)
  )
}
