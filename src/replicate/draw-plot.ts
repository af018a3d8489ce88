import { loadEcharts } from './load-echarts.ts'
import type { Plot } from './plot.ts'
import { ink, plotOptions } from './plot-options.ts'

/** Pixels; narrow, so that letters stay readable where a telephone shrinks it. */
export const plotSize = { width: 520, height: 360 } as const

/**
 * An SVG of a plot. Texts and axes are in `currentColor`, so that it is readable on light and on dark; the same plot gives
 * the same bytes.
 *
 * @param options.id Begins all ids within: the only one in a page that holds several.
 * @throws {MillraceError} MILLRACE_INVALID_OPTION where echarts is not installed.
 */
export async function drawPlot(plot: Plot, { id }: { readonly id: string }): Promise<string> {
  const echarts = await loadEcharts('a report')
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, ...plotSize })
  try {
    chart.setOption(plotOptions(plot))
    return portable(chart.renderToSVGString(), id)
  } finally {
    // Or its timers keep the process alive.
    chart.dispose()
  }
}

// What a browser's copy of echarts would need to make it move, and what differs from one drawing in a process to the next, goes;
// and colours know no theme.
function portable(svg: string, id: string): string {
  const red = Number.parseInt(ink.slice(1, 3), 16)
  const green = Number.parseInt(ink.slice(3, 5), 16)
  const blue = Number.parseInt(ink.slice(5, 7), 16)
  return svg
    .replaceAll(/<style ?>.*?<\/style>/gs, '')
    .replaceAll(/ (class|ecmeta_\w+|xmlns:xlink)="[^"]*"/g, '')
    .replaceAll(/\bzr\d+-/g, `${id}-`)
    .replaceAll(ink, 'currentColor')
    .replaceAll(new RegExp(`rgba?\\(${red}, ?${green}, ?${blue}(, ?1)?\\)`, 'g'), 'currentColor')
}
