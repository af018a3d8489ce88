import type { EChartsOption, SeriesOption } from 'echarts'
import type { Plot, PlotAxis, PlotMark, PlotSeries } from './plot.ts'

/** Stands for the colour of texts, which the page decides: no series has it. */
export const ink = '#010203'

const faint = 0.15
const fontSize = 13

/** Known names have their colours, in all plots; the others take what is left. Readable on white and on black. */
const colours: Readonly<Record<string, string>> = {
  optimal: '#3b82c4',
  'optimal, 99.5 %': '#7fb3e0',
  millrace: '#3b82c4',
  'millrace, 99 %': '#7fb3e0',
  'millrace, in process': '#2aa198',
  inferline: '#3a9d5d',
  'cg-mean': '#e08214',
  'cg-peak': '#d1495b',
  ds2: '#9467bd',
  'ray serve': '#b58900',
  'no tuner': '#8c8c8c',
  rate: '#8c8c8c',
}
const others = [
  '#3b82c4',
  '#e08214',
  '#3a9d5d',
  '#d1495b',
  '#9467bd',
  '#2aa198',
  '#b58900',
  '#8c8c8c',
]

/** How a plot looks, as echarts is told. */
export function plotOptions(plot: Plot): EChartsOption {
  const namedBelow = plot.x.categories?.some((text) => text.includes('\n')) ? 46 : 32
  return {
    animation: false,
    backgroundColor: 'transparent',
    textStyle: { color: ink, fontSize },
    title: {
      text: plot.title,
      left: 'center',
      textStyle: { color: ink, fontSize: fontSize + 1, fontWeight: 600 },
    },
    legend: {
      show: plot.series.length > 1,
      bottom: 0,
      itemWidth: 18,
      itemHeight: 10,
      itemGap: 24,
      textStyle: { color: ink, fontSize },
    },
    grid: { left: 66, right: 24, top: 42, bottom: 24 + namedBelow + legendHeight(plot) },
    xAxis: axis(plot.x, namedBelow) as NonNullable<EChartsOption['xAxis']>,
    yAxis: axis(plot.y, 48) as NonNullable<EChartsOption['yAxis']>,
    series: plot.series.map((one, at) => seriesOf(one, { plot, at })),
  }
}

/** Pixels below the axis: nothing for one series, else the rows of names. */
function legendHeight({ series }: Plot): number {
  if (series.length < 2) return 0
  const wide = series.reduce((sum, { name }) => sum + name.length * letterWidth + symbolWidth, 0)
  return 8 + legendRow * Math.ceil(wide / legendWidth)
}

/** Of a letter on average; of a symbol, and the gaps around it. */
const letterWidth = 6.6
const symbolWidth = 47
const legendWidth = 545
const legendRow = 24

function axis(one: PlotAxis, nameGap: number) {
  const { name, kind = 'value', categories, scaled = false, min, max } = one
  return {
    type: kind,
    name,
    nameLocation: 'middle',
    nameGap,
    scale: scaled,
    nameTextStyle: { color: ink, fontSize },
    axisLine: { show: true, lineStyle: { color: ink } },
    axisTick: { lineStyle: { color: ink } },
    axisLabel: { color: ink, fontSize: fontSize - 1, hideOverlap: true },
    splitLine: { show: kind !== 'category', lineStyle: { color: ink, opacity: faint } },
    minorTick: { show: false },
    ...(categories && { data: [...categories] }),
    ...(min !== undefined && { min }),
    ...(max !== undefined && { max }),
  }
}

function seriesOf(
  { name, kind, points, size = 9, labelDecimals }: PlotSeries,
  { plot, at }: { readonly plot: Plot; readonly at: number },
): SeriesOption {
  const color = colours[name] ?? others[at % others.length] ?? ink
  const data = points.map(([x, y]) => [x, y ?? '-'])
  const mark = at === 0 && plot.mark !== undefined ? { markLine: markLine(plot.mark) } : {}
  const common = { name, data, itemStyle: { color }, ...mark }
  if (kind === 'bar') {
    const label = labelDecimals === undefined ? {} : { label: barLabel(labelDecimals) }
    return { type: 'bar', barMaxWidth: 26, barGap: '8%', ...label, ...common }
  }
  if (kind === 'points') return { type: 'scatter', symbolSize: size, ...common }
  return {
    type: 'line',
    symbol: 'circle',
    symbolSize: 5,
    showSymbol: points.length <= fewPoints,
    lineStyle: { color, width: 2 },
    ...(kind === 'step' && { step: 'end' as const }),
    ...common,
  }
}

function barLabel(decimals: number) {
  return {
    show: true,
    position: 'top' as const,
    color: ink,
    fontSize: fontSize - 1,
    formatter: ({ value }: { readonly value?: unknown }) => {
      return Array.isArray(value) ? Number(value[1]).toFixed(decimals) : ''
    },
  }
}

/** Up to so many points of a line are shown as such. */
const fewPoints = 24

function markLine({ y, text, at = 'end' }: PlotMark) {
  return {
    silent: true,
    animation: false,
    symbol: 'none',
    lineStyle: { type: 'dashed' as const, color: ink, opacity: 0.6 },
    label: {
      formatter: text,
      position: at === 'end' ? ('insideEndTop' as const) : ('insideStartTop' as const),
      color: ink,
      fontSize: fontSize - 1,
    },
    data: [{ yAxis: y }],
  }
}
