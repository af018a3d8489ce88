import type { EChartsOption, SeriesOption } from 'echarts'
import type { Plot, PlotAxis, PlotSeries } from './plot.ts'

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
    grid: { left: 66, right: 24, top: 42, bottom: 56 + legendHeight(plot) },
    xAxis: axis(plot.x, 32) as NonNullable<EChartsOption['xAxis']>,
    yAxis: axis(plot.y, 48) as NonNullable<EChartsOption['yAxis']>,
    series: plot.series.map((one, at) => seriesOf(one, { plot, at })),
  }
}

/** Pixels below the axis: nothing for one series, a row of names, or two. */
function legendHeight({ series }: Plot): number {
  if (series.length < 2) return 0
  const letters = series.reduce((sum, { name }) => sum + name.length + lettersOfSymbol, 0)
  return letters > lettersOfRow ? 56 : 32
}

const lettersOfSymbol = 6
const lettersOfRow = 62

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
  { name, kind, points }: PlotSeries,
  { plot, at }: { readonly plot: Plot; readonly at: number },
): SeriesOption {
  const color = colours[name] ?? others[at % others.length] ?? ink
  const data = points.map(([x, y]) => [x, y ?? '-'])
  const mark = at === 0 && plot.mark !== undefined ? { markLine: markLine(plot.mark) } : {}
  const common = { name, data, itemStyle: { color }, ...mark }
  if (kind === 'bar') return { type: 'bar', barMaxWidth: 26, barGap: '8%', ...common }
  if (kind === 'points') return { type: 'scatter', symbolSize: 9, ...common }
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

/** Up to so many points of a line are shown as such. */
const fewPoints = 24

function markLine({ y, text }: NonNullable<Plot['mark']>) {
  return {
    silent: true,
    animation: false,
    symbol: 'none',
    lineStyle: { type: 'dashed' as const, color: ink, opacity: 0.6 },
    label: {
      formatter: text,
      position: 'insideEndTop' as const,
      color: ink,
      fontSize: fontSize - 1,
    },
    data: [{ yAxis: y }],
  }
}
