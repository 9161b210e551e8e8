import { formatNumber, renderJson, renderTable, type TableOrJson } from '../shared/io/render.ts'
import type { ListedReplay } from './catalogue.ts'
import type { Definition } from './definition.ts'
import type { Findings, Manifest } from './manifest.ts'
import { offsetsIn } from './ranges.ts'
import type { Verification } from './verify.ts'

export function printManifest(manifest: Manifest, format: TableOrJson): string {
  if (format === 'json') {
    return renderJson({ report: 'replay', ...manifest })
  }
  const { taxonomy, fates, schemas } = manifest
  const schemaText = Object.entries(schemas).map(([id, fingerprint]) => `${id} (${fingerprint})`)
  const facts = [
    ['replay', `${manifest.replay}, started ${manifest.startedAt}, finished ${manifest.finishedAt}`],
    ['log', `${manifest.topic} (${manifest.topicId}), ${rangesText(manifest)}`],
    ['taxonomy', `${taxonomy.version} (hash ${taxonomy.hash})`],
    ['schemas', schemaText.join(', ') || 'none'],
    [
      'settings',
      `duplicates within ${fates.duplicateWindowOffsets} offsets, events of at most ${fates.eventBytesMax} bytes`,
    ],
    ['code', manifest.codeVersion],
  ]
  return `${facts.map(([name, text]) => `${name!.padEnd(9)} ${text}\n`).join('')}\n${findingsText(manifest)}`
}

/** `replay x: as its manifest says, digest …`, or each fault on a line of its own. */
export function printVerification(verification: Verification, format: TableOrJson): string {
  const { replay, checked, found, faults, expectedDigest } = verification
  if (format === 'json') {
    return renderJson({ report: 'replay_verify', ...verification, same: faults.length === 0 })
  }
  const what = checked === replay ? `replay ${replay}` : `${checked} over the range of replay ${replay}`
  const end =
    faults.length === 0
      ? `${what}: as the manifest says\n`
      : `${faults.map((fault) => `${fault}\n`).join('')}${what}: not as the manifest says, which has digest ${expectedDigest}\n`
  return `${findingsText(found)}${end}`
}

export function printList(replays: readonly ListedReplay[], format: TableOrJson): string {
  if (format === 'json') {
    return renderJson({
      report: 'replay_list',
      replays: replays.map(({ definition, manifest, done, total }) => ({
        ...definition,
        ...{ done, total, finished: manifest !== undefined, digest: manifest?.digest ?? null },
      })),
    })
  }
  if (replays.length === 0) {
    return 'no replays\n'
  }
  return renderTable(
    [
      { head: 'replay', align: 'left' },
      { head: 'taxonomy', align: 'right' },
      { head: 'offsets', align: 'right' },
      { head: 'started', align: 'left' },
      { head: 'state', align: 'left' },
    ],
    replays.map(({ definition: { replay, taxonomy, startedAt }, manifest, done, total }) => [
      ...[replay, taxonomy.version, total, startedAt.slice(0, 19)],
      manifest === undefined
        ? `${Math.floor((done / Math.max(1, total)) * 100)} % read`
        : `digest ${manifest.digest.slice(0, 16)}`,
    ]),
  )
}

/** `4 partitions, 300,000 offsets: 0: 0-74,999, …`; many partitions are only counted. */
export function rangesText({ ranges }: Pick<Definition, 'ranges'>): string {
  const used = ranges.filter(({ first, end }) => first < end)
  const listed = used.slice(0, rangesShownMax).map(({ partition, first, end }) => `${partition}:${first}-${end - 1}`)
  const more = used.length > listed.length ? ', …' : ''
  return `${formatNumber(offsetsIn(ranges))} offsets: ${listed.join(', ')}${more}`
}
const rangesShownMax = 8

function findingsText({ counts, digest, tables }: Findings): string {
  const n = formatNumber
  const rejected = Object.entries(counts.rejected)
  const reasons =
    rejected.length === 0 ? '' : ` (${rejected.map(([reason, rows]) => `${reason} ${n(rows)}`).join(', ')})`
  const sum = rejected.reduce((total, [, rows]) => total + rows, 0)
  const table = renderTable(
    [
      { head: 'table', align: 'left' },
      { head: 'rows', align: 'right' },
      { head: 'digest', align: 'left' },
    ],
    tables.map((one) => [one.table, one.rows, one.digest.slice(0, 32)]),
  )
  return (
    `${table}\n${n(counts.offsets)} offsets: ${n(counts.accepted)} accepted, ${n(counts.duplicate)} duplicate, ` +
    `${n(sum)} rejected${reasons}, ${n(counts.noMessage)} without a message\ndigest ${digest}\n`
  )
}
