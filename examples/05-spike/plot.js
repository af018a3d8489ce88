// The same as a picture: load, replicas and latency over time, above each other.

/**
 * An SVG; undefined where echarts, which draws it, is not installed.
 *
 * @param {readonly import('./main.js').Run[]} runs
 * @param {{ latencyMs: number }} objective
 */
export async function plotSpike(runs, { latencyMs }) {
  const echarts = await import('echarts').catch(() => undefined)
  if (echarts === undefined) return undefined
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: 900, height: 760 })
  try {
    chart.setOption({
      animation: false,
      backgroundColor: '#fff',
      title: { text: 'A spike of four times the planned load, live', left: 'center' },
      legend: { bottom: 0, itemGap: 30 },
      grid: [0, 1, 2].map((row) => ({ left: 80, right: 30, top: 50 + row * 225, height: 165 })),
      xAxis: [0, 1, 2].map((row) => axis(row, row === 2 ? 'time (s)' : '')),
      yAxis: [
        { ...axis(0, 'pages/s'), nameGap: 45 },
        { ...axis(1, 'replicas of segment'), nameGap: 45, minInterval: 1, min: 0 },
        { ...axis(2, 'p99 latency (ms)'), nameGap: 45, type: 'log', logBase: 10 },
      ],
      series: [...linesOf(runs), limitLine(latencyMs)],
    })
    return chart.renderToSVGString()
  } finally {
    // Or its timers keep the process alive.
    chart.dispose()
  }
}

/** @param {readonly import('./main.js').Run[]} runs */
function linesOf(runs) {
  const load = runs[0]?.series.map(({ atS, ratePerS }) => [atS, ratePerS]) ?? []
  const colors = ['#c23531', '#2f6fb0']
  return [
    { type: 'line', name: 'load', ...on(0), data: load, ...plain, color: '#666' },
    ...runs.flatMap(({ name, series }, at) => [
      {
        type: 'line',
        name,
        ...on(1),
        ...plain,
        color: colors[at],
        step: 'end',
        data: series.map(({ atS, replicas }) => [atS, replicas['segment']]),
      },
      {
        type: 'line',
        name,
        ...on(2),
        ...plain,
        color: colors[at],
        data: series.filter(({ p99Ms }) => p99Ms > 0).map(({ atS, p99Ms }) => [atS, p99Ms]),
      },
    ]),
  ]
}

/** @param {number} latencyMs */
function limitLine(latencyMs) {
  const line = { type: 'line', name: 'objective', ...on(2), ...plain, color: '#999', data: [] }
  return { ...line, markLine: { symbol: 'none', data: [{ yAxis: latencyMs }] } }
}

const plain = { symbol: 'none' }

/** @param {number} row */
function on(row) {
  return { xAxisIndex: row, yAxisIndex: row }
}

/**
 * @param {number} row
 * @param {string} name
 */
function axis(row, name) {
  return { gridIndex: row, type: 'value', name, nameLocation: 'middle', nameGap: 28 }
}
