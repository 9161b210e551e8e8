import assert from 'node:assert/strict'
import { test } from 'node:test'

import { comparePlanted } from '../../../../services/impact/page/planted.ts'
import { renderImpactPage } from '../../../../services/impact/page/page.ts'
import { estimateCell, unitOf } from '../../../../services/impact/pnl/print.ts'
import { estimateText, moneyScale } from '../../../../services/impact/scale.ts'
import { holdoutOf } from '../../../support/holdout-report.ts'
import { documentOf, plainFacts } from '../../../support/pnl-document.ts'

const years = [2017, 2018].map((year) => ({ year, causedMicros: 1_234_567_890 + year }))
const planted = { product: 'echo', years, perHouseholdMicros: 3, perOwnerMicros: 30 }
const page = (facts: Parameters<typeof documentOf>[0] = plainFacts(), about = 'About <it> & "more"') => {
  const pnl = documentOf(facts)
  const compared = comparePlanted(pnl, [holdoutOf('echo')], [planted])
  return { pnl, compared, html: renderImpactPage({ title: 'Impact', about: [about], pnl, planted: compared }) }
}
const cellsOf = (html: string) => [...html.matchAll(/<td>(.*?)<\/td>/g)].map(([, text]) => text!)

test('the page stands alone: no address, no script, nothing to load', () => {
  const { html } = page()
  assert.doesNotMatch(html, /https?:|<script|<link|<img|<iframe|@import|\ssrc=|\son\w+=|xlink/i)
  // The only references are to what stands in the page itself.
  for (const [, target] of html.matchAll(/(?:url\(|href=")([^)"]*)/g)) {
    assert.match(target!, /^#/)
    assert.ok(html.includes(`id="${target!.slice(1)}"`))
  }
})

test('its plots are drawn', () => {
  const { html } = page()
  const svgs = html.match(/<svg[\s\S]*?<\/svg>/g)!
  assert.equal(svgs.length, 2)
  for (const svg of svgs) {
    assert.match(svg, /<path /)
    assert.match(svg, />as claimed</)
    assert.match(svg, />planted</)
    assert.doesNotMatch(svg, /NaN|undefined/)
  }
})

test('its figures are those of the JSON', () => {
  const { html, pnl, compared } = page()
  const cells = new Set(cellsOf(html))
  const [echo] = pnl.products
  const unit = unitOf('USD')
  const scale = moneyScale(
    echo!.cumulative.map(({ asClaimedMicros }) => Number(asClaimedMicros)),
    'USD',
  )
  const money = (micros: string | number, of = scale) => estimateText(Number(micros), null, of)
  const expected = [
    money(echo!.perDevice!.asClaimedMicros, unit),
    estimateCell(echo!.perDevice!.incremental, unit),
    ...[echo!.lines!.priceMicros, echo!.lines!.deviceAloneMicros, echo!.asClaimed!.profitMicros].map((sum) =>
      money(sum),
    ),
    ...[echo!.incremental!.downstream, echo!.incremental!.profit].map((sum) => estimateCell(sum, scale)),
    ...echo!.years.flatMap(({ asClaimed, incremental }) => [
      ...[money(asClaimed!.profitMicros), estimateCell(incremental!.profit, scale)],
    ]),
    ...compared[0]!.comparisons.flatMap(({ estimate, plantedMicros }) => [
      ...[estimateCell(estimate, unit), money(plantedMicros, unit)],
    ]),
    ...compared[0]!.sums.filter(({ what }) => what !== 'all').map(({ plantedMicros }) => money(plantedMicros)),
  ]
  assert.deepEqual(
    expected.filter((text) => !cells.has(text)),
    [],
  )
})

test('text is text, whatever it holds', () => {
  assert.match(page().html, /<p>About &lt;it&gt; &amp; &quot;more&quot;<\/p>/)
})

test('an incremental margin that is not known is a dash, and plotted nowhere', () => {
  const effects = plainFacts().effects.map((effect) => ({ ...effect, perOwner: null, whyNone: 'none', upToYear: null }))
  const { html } = page({ ...plainFacts(), effects })
  assert.ok(cellsOf(html).includes('-'))
  const [, course] = html.match(/<svg[\s\S]*?<\/svg>/g)!
  assert.doesNotMatch(course!, />incremental</)
})

test('a product of few households has no part of its own', () => {
  const { html } = page(plainFacts('echo', 5))
  assert.doesNotMatch(html, /<h2>echo/)
})
