/** The one file that knows echarts: plots as SVG, drawn here and not in a browser. */
import { BarChart, LineChart, ScatterChart } from 'echarts/charts'
import { GridComponent, LegendComponent } from 'echarts/components'
import { init, use, type EChartsCoreOption } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'

use([BarChart, LineChart, ScatterChart, GridComponent, LegendComponent, SVGRenderer])

/** A line over months, with a band where there is an interval. */
export interface Course {
  readonly name: string
  readonly values: readonly number[]
  readonly band?: readonly (readonly [low: number, high: number])[]
}

export interface Size {
  readonly width: number
  readonly height: number
}

/** What each of some groups comes to, by several ways to count. */
export function barPlot(
  { groups, bars, unit }: { groups: readonly string[]; bars: readonly Course[]; unit: string },
  size: Size,
): string {
  return draw(
    {
      ...{ xAxis: category(groups), yAxis: valueAxis(unit) },
      series: bars.map(({ name, values }, at) => ({
        ...{ type: 'bar', name, data: [...values], itemStyle: { color: colours[at] } },
      })),
    },
    size,
  )
}

/** How sums grew. `points` are known only at some places. */
export function coursePlot(
  {
    places,
    courses,
    points,
    unit,
  }: {
    places: readonly string[]
    courses: readonly Course[]
    points?: { readonly name: string; readonly at: readonly (readonly [place: string, value: number])[] }
    unit: string
  },
  size: Size,
): string {
  const lines = courses.flatMap(({ name, values, band }, at) => [
    {
      type: 'line',
      name,
      data: [...values],
      symbol: 'none',
      lineStyle: { color: colours[at] },
      itemStyle: { color: colours[at] },
    },
    ...(band === undefined ? [] : bandSeries(name, band, colours[at]!)),
  ])
  const marks =
    points === undefined
      ? []
      : [
          {
            type: 'scatter',
            name: points.name,
            data: points.at.map((one) => [...one]),
            itemStyle: { color: colours[courses.length] },
          },
        ]
  return draw({ xAxis: category(places), yAxis: valueAxis(unit), series: [...lines, ...marks] }, size)
}

/** Two stacked lines: an invisible one at the lower bound, and what is between the bounds on top of it. */
function bandSeries(name: string, band: NonNullable<Course['band']>, color: string): object[] {
  const common = {
    type: 'line',
    stack: name,
    stackStrategy: 'all',
    symbol: 'none',
    lineStyle: { opacity: 0 },
    silent: true,
  }
  return [
    { ...common, data: band.map(([low]) => low) },
    { ...common, data: band.map(([low, high]) => high - low), areaStyle: { color, opacity: 0.18 } },
  ]
}

const colours = ['#c2410c', '#1d4ed8', '#15803d']
const valueAxis = (name: string) => ({ type: 'value', name, nameLocation: 'end' })
const category = (places: readonly string[]) => ({ type: 'category', data: [...places], axisLine: { onZero: false } })

function draw(option: EChartsCoreOption & { series: readonly { name?: string }[] }, size: Size): string {
  const chart = init(null, null, { renderer: 'svg', ssr: true, ...size })
  try {
    chart.setOption({
      ...{ animation: false, grid: { left: 70, right: 20, top: 50, bottom: 30 } },
      legend: { top: 0, itemGap: 32, data: option.series.flatMap(({ name }) => name ?? []) },
      ...option,
    })
    return inPage(chart.renderToSVGString())
  } finally {
    chart.dispose()
  }
}

/** Without what only a file of its own needs: names of schemas, which are addresses, and rules for the mouse. */
function inPage(svg: string): string {
  return svg.replace(/ xmlns(:xlink)?="[^"]*"/g, '').replace(/<style[\s\S]*?<\/style>/g, '')
}
