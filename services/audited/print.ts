import { sampleFor, type AuditedSample } from '../shared/domain/audited-sample.ts'
import type { ShareDefinition } from '../shared/domain/taxonomy.ts'
import { formatNumber, formatTime, renderJson, renderTable, type Cell, type TableOrJson } from '../shared/io/render.ts'
import type { Loading } from './load.ts'
import type { LineFault } from './sample-file.ts'

const shareDefinitions = ['strict', 'broad'] as const

/** A line an audit, taxonomy version and definition. `samples` come latest first. */
export function printSamples(samples: readonly AuditedSample[], format: TableOrJson): string {
  const isUsed = (sample: AuditedSample, definition: ShareDefinition) =>
    sampleFor(samples, definition, sample.taxonomyVersion) === sample
  if (format === 'json') {
    return renderJson({
      report: 'audited',
      samples: samples.map((sample) => ({
        ...sample,
        corrects: shareDefinitions.filter((definition) => isUsed(sample, definition)),
      })),
    })
  }
  if (samples.length === 0) {
    return 'no audit is loaded\n'
  }
  const rows = samples.flatMap((sample) =>
    shareDefinitions.map((definition, index): Cell[] => [
      ...(index === 0
        ? [sample.audit, formatTime(sample.loadedAt), sample.drawn, `v${sample.taxonomyVersion}`, sample.events]
        : ['', '', '', '', null]),
      ...[definition, sample[definition].said, sample[definition].called, sample[definition].both],
      isUsed(sample, definition) ? 'yes' : 'no',
    ]),
  )
  const table = renderTable(
    [
      ...(['audit', 'loaded (UTC)', 'drawn', 'by'] as const).map((head) => ({ head, align: 'left' }) as const),
      { head: 'events', align: 'right' },
      { head: 'share', align: 'left' },
      ...(['people', 'called', 'both'] as const).map((head) => ({ head, align: 'right' }) as const),
      { head: 'used', align: 'left' },
    ],
    rows,
  )
  return (
    `${table}by: the taxonomy version; people, called, both: monetised by people, by the classifier, by both\n` +
    'used: the latest audit that can correct the share of that version\n'
  )
}

/** What was loaded, or would be, with the lines above. */
export function printLoading(loading: Loading, options: { dryRun: boolean; format: TableOrJson }): string {
  const { events, notRequests, samples, faults } = loading
  if (options.format === 'json') {
    return renderJson({ report: 'audited load', loaded: faults.length === 0 && !options.dryRun, ...loading })
  }
  if (faults.length > 0) {
    return `nothing was loaded: ${formatNumber(faults.length)} of the lines are wrong, ${formatNumber(events)} are good\n`
  }
  const left =
    notRequests === 0 ? '' : `; ${formatNumber(notRequests)} the classifier calls no request, they are in no share`
  const done = options.dryRun ? 'are good, nothing was loaded (dry run)' : 'loaded'
  return `${formatNumber(events)} events ${done}${left}\n${printSamples(samples, 'table')}`
}

const faultsShownMax = 20

export function printFaults(faults: readonly LineFault[]): string {
  const more = faults.length - faultsShownMax
  return [
    ...faults.slice(0, faultsShownMax).map(({ line, fault }) => `line ${line}: ${fault}\n`),
    ...(more > 0 ? [`and ${formatNumber(more)} more; --format json lists them all\n`] : []),
  ].join('')
}
