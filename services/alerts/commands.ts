import { join, relative } from 'node:path'

import type { Command } from 'commander'

import { readTableOrJson, renderJson } from '../shared/io/render.ts'
import { printCheck } from './check-report.ts'
import { registerLiveAlerts, type AlertContext } from './live-commands.ts'
import { loadRules } from './rules-file.ts'
import { alertRulesJsonSchema } from './rules-schema.ts'

/** The rules that stand in the project. */
export const defaultRulesFile = join(import.meta.dirname, '../../infra/alerts/rules.yaml')

export function registerAlerts(program: Command, context: AlertContext): void {
  const alerts = program
    .command('alerts')
    .description('Rules that page when a ratio changes, not for noise, lag or mix')
    .addHelpText('after', '\nExample:\n  npx intent-ledger alerts check')
  registerCheck(alerts, context)
  registerSchema(alerts, context)
  registerLiveAlerts(alerts, context, relative('', defaultRulesFile))
}

function registerCheck(alerts: Command, context: AlertContext): void {
  alerts
    .command('check')
    .description('Check a file of rules and list them; all mistakes are told together, with line, rule and field')
    .option('--rules <file>', 'file of rules', relative('', defaultRulesFile))
    .option('--format <format>', 'table or json', 'table')
    .addHelpText(
      'after',
      '\nNeeds no server. Exit code 2: the file has mistakes.' +
        '\n\nExamples:\n  npx intent-ledger alerts check\n  npx intent-ledger alerts check --rules my-rules.yaml',
    )
    .action((given: { rules: string; format: string }) => {
      const format = readTableOrJson(given.format)
      context.stdout.write(printCheck(given.rules, loadRules(given.rules), format))
    })
}

function registerSchema(alerts: Command, context: AlertContext): void {
  alerts
    .command('schema')
    .description('Print the JSON Schema of a file of rules, for editors: schemas/alert-rules.schema.json')
    .addHelpText('after', '\nExample:\n  npx intent-ledger alerts schema > schemas/alert-rules.schema.json')
    .action(() => {
      context.stdout.write(renderJson(alertRulesJsonSchema()))
    })
}
