import type { Command } from 'commander'
import { z } from 'zod'

import { classify, isMonetised, outcomes, type Outcome } from '../shared/domain/taxonomy.ts'
import { mistake } from '../shared/domain/faults.ts'
import { flagParser, streamName, streamOption } from '../shared/io/flag-kinds.ts'
import { readTableOrJson } from '../shared/io/render.ts'
import { stopOnSignals } from '../shared/io/stop-signals.ts'
import { loadTaxonomy, loadTaxonomyFile, taxonomyVersions } from '../shared/io/taxonomy-file.ts'
import { runClassifier } from './main.ts'

const parseClassifyFlags = flagParser(
  'classify',
  z.strictObject({
    stream: streamName.optional(),
    force: z.literal(true).optional(),
    withParent: z.literal(true).optional(),
  }),
)

export interface ClassifierContext {
  readonly stdout: NodeJS.WritableStream
  environment(role: 'pipeline'): NodeJS.ProcessEnv
}

export function registerClassify(program: Command, context: ClassifierContext): void {
  program
    .command('classify')
    .description('Run one classifier process: log -> fates -> tables, exactly once, until Ctrl-C')
    .option(...streamOption)
    .option('--force', 'go on whatever share of the messages is rejected (as REJECTED_PERCENT_MAX=100)')
    .option('--with-parent', 'also stop when standard input closes (for a process that starts this one)')
    .addHelpText(
      'after',
      '\nSeveral processes share the work through the consumer group. Settings come from the environment (README.md).' +
        '\n\nExample:\n  npx intent-ledger classify',
    )
    .action(async (given: object) => {
      const { stream, force, withParent } = parseClassifyFlags(given)
      const stop = stopOnSignals()
      if (withParent === true) {
        process.stdin.resume()
        process.stdin.once('close', stop.stop)
      }
      try {
        const env = {
          ...context.environment('pipeline'),
          ...(stream === undefined ? {} : { STREAM: stream }),
          ...(force === true ? { REJECTED_PERCENT_MAX: '100' } : {}),
        }
        await runClassifier(env, stop.signal)
      } finally {
        stop.release()
        process.stdin.destroy()
      }
    })
}

export function registerTaxonomy(program: Command, context: ClassifierContext): void {
  const taxonomy = program.command('taxonomy').description('The rules that say which requests earn something')
  const print = (format: string, value: Record<string, unknown>, text: string) =>
    context.stdout.write(format === 'json' ? `${JSON.stringify(value)}\n` : `${text}\n`)

  taxonomy
    .command('check')
    .description('Check the shipped taxonomies, or one file; a fault names file, rule and reason')
    .argument('[file]', 'a taxonomy file (default: all versions in schemas/taxonomy)')
    .option('--format <format>', 'table or json', 'table')
    .addHelpText(
      'after',
      '\nExamples:\n  npx intent-ledger taxonomy check\n  npx intent-ledger taxonomy check my-taxonomy.json',
    )
    .action((file: string | undefined, given: { format: string }) => {
      const format = readTableOrJson(given.format)
      const loaded =
        file === undefined ? taxonomyVersions().map((version) => loadTaxonomy(version)) : [loadTaxonomyFile(file)]
      for (const { taxonomy: found, hash } of loaded) {
        const { version, description, rules } = found
        print(
          format,
          { version, description, rules: rules.length, hash, valid: true },
          `taxonomy ${version}: ${rules.length} rules, valid, hash ${hash} (${description})`,
        )
      }
    })

  taxonomy
    .command('explain')
    .description('Say how one request is classed, and by which rule')
    .argument('<intent>', 'e.g. shopping_buy')
    .option('--outcome <outcome>', outcomes.join(', '), 'fulfilled')
    .option('--plan <plans>', 'plans held, separated by commas, or none', 'none')
    .option('--purchase', 'a purchase was made in the turn')
    .option('--taxonomy <version>', 'version', '1')
    .option('--format <format>', 'table or json', 'table')
    .addHelpText(
      'after',
      '\nExample:\n  npx intent-ledger taxonomy explain shopping_buy --outcome fulfilled --plan none',
    )
    .action(
      (intent: string, given: { outcome: string; plan: string; purchase?: true; taxonomy: string; format: string }) => {
        const format = readTableOrJson(given.format)
        if (!(outcomes as readonly string[]).includes(given.outcome)) {
          throw mistake(`--outcome ${given.outcome} is not an outcome; take ${outcomes.join(', ')}`)
        }
        if (!/^[a-z0-9_]{1,64}$/.test(intent)) {
          throw mistake(`"${intent}" is not an intent: take lower case letters, digits and _, at most 64`)
        }
        const { taxonomy: rules } = loadTaxonomy(Number(given.taxonomy))
        const plans = given.plan === 'none' ? [] : given.plan.split(',').map((plan) => plan.trim())
        const outcome = given.outcome as Outcome
        const verdict = classify(rules, { intent, outcome, plans, hasPurchase: given.purchase === true })
        const strict = isMonetised(verdict.valueClass, 'strict')
        const broad = isMonetised(verdict.valueClass, 'broad')
        const rule = rules.rules.find((found) => found.id === verdict.ruleId)
        const why =
          rule === undefined
            ? 'no rule knows this intent: it is counted in the denominator and listed'
            : `rule ${rule.id}: intents ${rule.intents.join(', ')}${rule.outcomes ? `; outcome ${rule.outcomes.join(' or ')}` : ''}${rule.plans ? `; plan ${rule.plans.join(' or ')}` : ''}`
        print(
          format,
          {
            intent,
            outcome,
            plans,
            taxonomy: rules.version,
            ...verdict,
            monetised: { strict, broad },
            rule: rule ?? null,
          },
          `${intent} is ${verdict.valueClass} under taxonomy ${rules.version} (monetised: strict ${strict ? 'yes' : 'no'}, broad ${broad ? 'yes' : 'no'})\n${why}`,
        )
      },
    )
}
