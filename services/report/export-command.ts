import type { Command } from 'commander'

import { mistake } from '../shared/domain/faults.ts'
import { formatNumber } from '../shared/io/render.ts'
import type { ReportContext } from './commands.ts'
import { exportView, sidecarOf } from './export.ts'
import { exportedViews, exportFormats, intentClasses, viewNames, viewParameters } from './exported-views.ts'
import { parseExportFlags } from './flags.ts'
import { chooseWindow, readFreshness } from './window.ts'

export function registerExport(program: Command, context: ReportContext): void {
  program
    .command('export')
    .description('The rows of a view to a file, with another file beside it that says how they came about')
    .argument('<file>', 'file to write; the one beside it has .json after its name')
    .requiredOption('--view <view>', viewNames.join(', '))
    .option('--format <format>', `${exportFormats.join(', ')} (default parquet)`)
    .option('--from <day>', 'first day, UTC (default: the last 28 whole days with data)')
    .option('--to <day>', 'last day, both included')
    .option('--by <dimensions>', 'comma list of the dimensions of the view; or none (default none)')
    .option('--product <product>', 'only this product')
    .option('--cohort <month>', 'only devices activated in this month, e.g. 2026-03')
    .option('--country <country>', 'only this country')
    .option('--plans <plans>', 'only households with exactly these plans, e.g. music,prime; none; any (default)')
    .option('--value-class <class>', `only this class: ${intentClasses.join(', ')}`)
    .option('--force', 'replace the files when they are there')
    .addHelpText(
      'after',
      '\nRuns as user analyst, so suppression holds.' +
        '\n\nExample:\n  npx intent-ledger export share.parquet --view usage_share --by product,day --from 2026-03-01 --to 2026-03-28',
    )
    .action(async (file: string, given: unknown) => {
      const { view, format, force, from, to, valueClass, ...rest } = parseExportFlags(given)
      if (file === '' || file.endsWith('/') || file.includes('\0')) {
        throw mistake('export: the file is no path of a file')
      }
      const parameters = viewParameters(view, { ...rest, value_class: valueClass })
      const { hasWindow } = exportedViews[view]
      if (!hasWindow && (from ?? to) !== undefined) {
        throw mistake(`export: ${view} has no --from and no --to`)
      }
      const { client, database } = await context.clickHouse('analyst')
      const nowMs = Date.now()
      const window = hasWindow ? chooseWindow({ from, to }, await readFreshness(client, database), nowMs) : undefined
      const made = await exportView(client, database, { file, view, format, window, parameters, force, nowMs })
      context.stdout.write(
        `${formatNumber(made.rows)} rows of ${view} in ${file}, ${formatNumber(made.bytes)} bytes; ` +
          `how they came about in ${sidecarOf(file)}\n`,
      )
    })
}
