import type { Plan } from '../planner/plan.ts'
import { loadEcharts } from '../replicate/load-echarts.ts'
import { formatShare } from './quantity.ts'

/**
 * An SVG of the least cost by objective, a line for each accuracy: with a step down at each plan, since what meets an
 * objective meets every looser one.
 *
 * @param options.upToMs Where the lines end.
 * @throws {MillraceError} MILLRACE_INVALID_OPTION where echarts is not installed.
 */
export async function plotFrontier(
  plans: readonly Plan[],
  { title, upToMs }: { readonly title: string; readonly upToMs: number },
): Promise<string> {
  const echarts = await loadEcharts('--plot')
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: 800, height: 500 })
  const series = linesOf(plans, upToMs)
  try {
    chart.setOption({
      animation: false,
      backgroundColor: '#fff',
      title: { text: title, left: 'center' },
      legend: { show: series.length > 1, bottom: 0 },
      grid: { left: 90, right: 40, top: 60, bottom: 80 },
      xAxis: axis('objective (ms)', 30),
      yAxis: axis('cost per hour', 60),
      series,
    })
    return chart.renderToSVGString()
  } finally {
    // Or its timers keep the process alive.
    chart.dispose()
  }
}

function linesOf(plans: readonly Plan[], upToMs: number) {
  const accuracies = [...new Set(plans.map(({ estimate }) => estimate.accuracy))]
  return accuracies.map((accuracy) => {
    const own = plans.filter(({ estimate }) => estimate.accuracy === accuracy)
    const points = own.map(({ objective, costPerHour }) => [objective.latencyMs, costPerHour])
    return {
      type: 'line' as const,
      name: accuracy === undefined ? 'cost' : `accuracy ${formatShare(accuracy)}`,
      step: 'end' as const,
      symbol: 'circle',
      symbolSize: 6,
      data: [...points, [upToMs, own.at(-1)?.costPerHour ?? 0]],
    }
  })
}

function axis(name: string, nameGap: number) {
  return { type: 'value', name, nameLocation: 'middle', nameGap, scale: true } as const
}
