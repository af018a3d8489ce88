import { MillraceError } from '../errors.ts'
import type { FrontierPoint } from './plan-frontier.ts'

/**
 * An SVG of the least cost by objective: a step at each point, since what meets a stricter objective meets a looser one.
 *
 * @throws {MillraceError} MILLRACE_INVALID_OPTION where echarts is not installed.
 */
export async function plotFrontier(
  points: readonly Pick<FrontierPoint, 'latencyMs' | 'costPerHour'>[],
  { title }: { readonly title: string },
): Promise<string> {
  const echarts = await loadEcharts()
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: 800, height: 500 })
  try {
    chart.setOption({
      animation: false,
      backgroundColor: '#fff',
      title: { text: title, left: 'center' },
      grid: { left: 90, right: 40, top: 60, bottom: 70 },
      xAxis: axis('objective (ms)', 35),
      yAxis: axis('cost per hour', 60),
      series: [
        {
          type: 'line',
          step: 'end',
          symbol: 'circle',
          symbolSize: 6,
          data: points.map(({ latencyMs, costPerHour }) => [latencyMs, costPerHour]),
        },
      ],
    })
    return chart.renderToSVGString()
  } finally {
    // Or its timers keep the process alive.
    chart.dispose()
  }
}

function axis(name: string, nameGap: number) {
  return { type: 'value', name, nameLocation: 'middle', nameGap, scale: true } as const
}

async function loadEcharts(): Promise<typeof import('echarts')> {
  try {
    return await import('echarts')
  } catch (cause) {
    throw new MillraceError({
      code: 'MILLRACE_INVALID_OPTION',
      message:
        '--plot: expected the package echarts, which draws, and it is not installed; run `npm install echarts`',
      cause,
    })
  }
}
