import { correctedShare, sampleFor, type AuditedSample } from '../shared/domain/audited-sample.ts'
import { isWide } from '../shared/domain/share-interval.ts'
import type { ShareDefinition } from '../shared/domain/taxonomy.ts'
import { formatNumber, type ShareFigures } from '../shared/io/render.ts'

/** A row of shares: null where the cell is suppressed, or a bound is left out. */
export interface CorrectableRow {
  readonly taxonomy_version: number
  readonly strict_share: number | null
  readonly strict_low: number | null
  readonly strict_high: number | null
  readonly broad_share: number | null
  readonly broad_low: number | null
  readonly broad_high: number | null
}

/** Which shares of some rows an audit corrects, and by which. */
export interface Corrections {
  readonly definitions: readonly ShareDefinition[]
  readonly audits: readonly (AuditedSample & { readonly corrects: readonly ShareDefinition[] })[]
}

/** `samples` come latest first. */
export function correctionsOf(rows: readonly CorrectableRow[], samples: readonly AuditedSample[]): Corrections {
  const versions = new Set(rows.map((row) => row.taxonomy_version))
  const audits = samples
    .filter(({ taxonomyVersion }) => versions.has(taxonomyVersion))
    .map((sample) => ({
      ...sample,
      corrects: (['strict', 'broad'] as const).filter(
        (definition) => sampleFor(samples, definition, sample.taxonomyVersion) === sample,
      ),
    }))
    .filter(({ corrects }) => corrects.length > 0)
  const corrected = new Set(audits.flatMap(({ corrects }) => corrects))
  return { definitions: (['strict', 'broad'] as const).filter((each) => corrected.has(each)), audits }
}

/** A row's share as people would find it. Nothing where the row shows no share or lacks a bound. */
export function correctedFigures(
  row: CorrectableRow,
  definition: ShareDefinition,
  { audits }: Corrections,
): ShareFigures {
  const shown = { share: row[`${definition}_share`], low: row[`${definition}_low`], high: row[`${definition}_high`] }
  const found = correctedShare(shown, sampleFor(audits, definition, row.taxonomy_version), definition)
  if (found === null) {
    return { share: null, low: null, high: null, quality: null }
  }
  const { estimate: share, low, high } = found
  return { share, low, high, quality: isWide({ share, low, high }) ? 'wide' : 'ok' }
}

/** What the corrected columns rest on. */
export function correctionLegend({ audits }: Corrections): string[] {
  const versions = new Set(audits.map(({ taxonomyVersion }) => taxonomyVersion))
  const named = audits.map(
    ({ audit, events, drawn, corrects, taxonomyVersion }) =>
      `corrected: ${corrects.join(' and ')} by audit ${audit} of ${formatNumber(events)} events, ${drawn}${versions.size > 1 ? `, v${taxonomyVersion}` : ''}`,
  )
  const ways = new Set(audits.map(({ drawn }) => (drawn === 'random' ? 'random' : 'label')))
  return [
    ...named,
    ...(ways.size === 0
      ? []
      : ['  what people would find; the audit is of everybody, so it is assumed that in each cell']),
    ...(ways.has('random') ? ['  - random: sensitivity and specificity of the classifier are the same'] : []),
    ...(ways.has('label') ? ['  - by label: of those called so, and of the others, the same part is so'] : []),
  ]
}
