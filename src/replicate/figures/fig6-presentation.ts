import type { FigureTable, Finding, Presentation } from '../figure.ts'
import { dollars, milliseconds, percent, times } from '../number-text.ts'
import type { Plot, PlotSeries } from '../plot.ts'
import type { Fig6Data, Fig6Run, Fig6Trace } from './fig6-data.ts'

/** As published (figures 6a and 6b), and what this project aims at. */
const published = {
  'big-spike': { attainment: 0.998, cost: 8.5, coarse: 0.937, coarseCost: 36.3 },
  'large-variations': { attainment: 0.993, cost: 15.27, coarse: 0.758, coarseCost: 24.63 },
} as const

const clusterMs = 5000
const enough = 0.99

export function presentFig6({ traces, latencyMs }: Fig6Data): Presentation {
  return {
    findings: traces.flatMap((trace) => [
      attains(trace),
      withoutMargin(trace),
      cheapest(trace),
      againstCoarse(trace),
      inProcess(trace),
    ]),
    plots: traces.flatMap((trace) => plotsOf(trace, latencyMs)),
    tables: traces.map(tableOf),
  }
}

function runOf(trace: Fig6Trace, system: string, activationMs = clusterMs): Fig6Run | undefined {
  return trace.runs.find((run) => run.system === system && run.activationMs === activationMs)
}

/** Of each baseline, the best of its settings: the cheapest that has enough in time, else the one with most in time. */
function bestBaselines({ runs }: Fig6Trace, activationMs = clusterMs): readonly Fig6Run[] {
  const baselines = runs.filter((run) => run.isBaseline && run.activationMs === activationMs)
  return [...new Set(baselines.map(({ system }) => system))].flatMap((system) => {
    const settings = baselines.filter((run) => run.system === system)
    const good = settings.filter(({ attainment }) => attainment >= enough)
    const [best] =
      good.length > 0
        ? good.sort((a, b) => a.cost - b.cost)
        : settings.sort((a, b) => b.attainment - a.attainment)
    return best === undefined ? [] : [best]
  })
}

/** Of each baseline, the cheapest of its settings that attain as much; none where none does. */
function cheapestOf({ runs }: Fig6Trace, attainment: number): readonly Fig6Run[] {
  const cheapest = new Map<string, Fig6Run>()
  for (const run of runs) {
    if (!run.isBaseline || run.activationMs !== clusterMs || run.attainment < attainment) continue
    const known = cheapest.get(run.system)
    if (known === undefined || run.cost < known.cost) cheapest.set(run.system, run)
  }
  return [...cheapest.values()]
}

function textOf({ system, setting, attainment, cost }: Fig6Run): string {
  const how = setting === undefined ? '' : ` (${setting})`
  return `${system}${how} ${percent(attainment)} at ${dollars(cost)}`
}

function attains(trace: Fig6Trace): Finding {
  const { attainment: target, cost } = published[trace.shape]
  const own = runOf(trace, 'millrace')
  const reached = own?.attainment ?? 0
  return {
    claim: `${trace.shape}: the tuner keeps the objective`,
    published: `${percent(target, 1)} in time at ${dollars(cost)}`,
    confidence: 'sure',
    ours: own
      ? `${percent(reached)} in time at ${dollars(own.cost)}, planned for 99.9 %`
      : 'not run',
    verdict: reached >= target ? 'confirmed' : 'not confirmed',
    reason: `${percent(reached)} are in time, ${reached >= target ? 'no fewer' : 'fewer'} than published, with a plan for 99.9 % and replicas that take 5 s to serve.`,
    analysis: `${own ? `The plan by itself has ${percent(own.plan.attainment)} in time on the part that it was made for. ` : ''}The dollars cannot be compared: the published run has other prices, models and a trace of another length.`,
  }
}

/** The same with the plan that the objective alone asks for. */
function withoutMargin(trace: Fig6Trace): Finding {
  const { attainment: target, cost } = published[trace.shape]
  const [own, tight] = [runOf(trace, 'millrace'), runOf(trace, 'millrace, 99 %')]
  const reached = tight?.attainment ?? 0
  return {
    claim: `${trace.shape}: it does with the cheapest plan for 99 %, too, which has no margin`,
    published: `${percent(target, 1)} in time at ${dollars(cost)}`,
    confidence: 'sure',
    ours: tight
      ? `${percent(reached)} in time at ${dollars(tight.cost)}${own ? `; planned for 99.9 %: ${percent(own.attainment)} at ${dollars(own.cost)}` : ''}`
      : 'not run',
    verdict: reached >= target ? 'confirmed' : 'not confirmed',
    reason:
      reached >= target
        ? 'The plan happens to have slack enough: replicas come in whole numbers.'
        : `What a tuner attains is bounded by its plan, and this one has ${percent(tight?.plan.attainment ?? 0)} in time before anything changes.`,
  }
}

function cheapest(trace: Fig6Trace): Finding {
  const own = runOf(trace, 'millrace')
  const equals = cheapestOf(trace, own?.attainment ?? 1)
  const cheaper = equals.filter(({ cost }) => cost < (own?.cost ?? 0))
  const others = bestBaselines(trace).filter(({ system }) => {
    return !equals.some((run) => run.system === system)
  })
  const inferline = runOf(trace, 'inferline')
  return {
    claim: `${trace.shape}: every baseline that attains as much costs more`,
    published: 'lower cost and higher attainment than the coarse-grained baseline',
    confidence: 'sure',
    ours: own
      ? `${textOf(own)}; ${equals.length === 0 ? 'no baseline attains as much' : equals.map(textOf).join('; ')}`
      : 'not run',
    verdict: cheaper.length === 0 ? 'confirmed' : 'not confirmed',
    reason:
      cheaper.length > 0
        ? `Cheaper, with as many in time: ${cheaper.map(textOf).join('; ')}.`
        : equals.length === 0
          ? 'No baseline has as many in time, at any of its settings.'
          : 'No baseline that has as many in time costs less.',
    analysis: `Baselines that attain less: ${others.map(textOf).join('; ') || 'none'}. The paper’s own planner and tuner, by its rules: ${inferline ? textOf(inferline) : 'not run'}; its tuner takes every burst for a rate, and so pays for more replicas.`,
  }
}

function againstCoarse(trace: Fig6Trace): Finding {
  const { attainment, cost, coarse, coarseCost } = published[trace.shape]
  const own = runOf(trace, 'millrace')
  const all = bestBaselines(trace).filter(({ system }) => system.startsWith('cg-'))
  const list = all.map((run) => {
    const ratio = (own?.cost ?? Number.NaN) / run.cost
    const fewer = run.late / Math.max(1, own?.late ?? 0)
    return `${textOf(run)}: ours costs ${times(ratio)} as much, with ${fewer >= 1 ? `${times(fewer)} fewer misses` : `${own?.late} misses to ${run.late}`}`
  })
  const isBoth = all.some((run) => (own?.cost ?? 0) < run.cost && (own?.late ?? 0) < run.late)
  const fewer = (1 - coarse) / (1 - attainment)
  return {
    claim: `${trace.shape}: cheaper than the coarse-grained baseline, with fewer misses`,
    published: `${times(cost / coarseCost)} the cost, with ${times(fewer)} fewer misses (coarse-grained: ${percent(coarse, 1)} at ${dollars(coarseCost)})`,
    confidence: 'sure',
    ours: list.join('; '),
    verdict: isBoth ? 'confirmed' : 'confirmed in part',
    reason: isBoth
      ? 'At its best setting for the mean rate or for the peak, the baseline costs more and misses more.'
      : 'For the peak the baseline misses no more but costs more, for the mean it costs less but misses more.',
    analysis: `The coarse-grained baseline is run for the mean rate and for the peak, each at its best setting. For the peak it holds enough boxes of the fastest tier in reserve for every burst, misses nothing and pays for it; for the mean it is cheap for what it is, and late whenever the rate rises, for as long as a box takes to serve and the queue to empty. The published baseline lies between the two, on a cluster whose settings are not published: its ratios of cost are a finding, not a target.`,
  }
}

function inProcess(trace: Fig6Trace): Finding {
  const [slow, fast] = [runOf(trace, 'millrace'), runOf(trace, 'millrace', 5)]
  const isSo =
    fast !== undefined &&
    slow !== undefined &&
    fast.late < slow.late &&
    fast.cost <= slow.cost + cent
  return {
    claim: `${trace.shape}: replicas that serve at once miss less, at no higher cost`,
    published: 'no figure: replicas of the paper’s cluster take about 5 s',
    confidence: 'ours',
    ours:
      fast && slow
        ? `${fast.late} of ${fast.requests} late at ${dollars(fast.cost)}, instead of ${slow.late} at ${dollars(slow.cost)}`
        : 'not run',
    verdict: isSo ? 'confirmed' : 'not confirmed',
    reason: isSo
      ? 'Fewer are late and the cost is no higher.'
      : 'Not both: fewer late, and no higher cost.',
    ...(!isSo && {
      analysis:
        'What is still late is late for other reasons than the time a replica takes: see the plan’s own attainment.',
    }),
  }
}

const cent = 0.005

const charts = [
  { name: 'rate', axis: 'rate (requests/s)', value: 'ratePerS' },
  { name: 'replicas', axis: 'replicas paid for', value: 'replicas' },
  { name: 'p99', axis: 'p99 of the window (ms)', value: 'p99Ms' },
  { name: 'cost', axis: 'cost ($/h)', value: 'costPerHour' },
] as const

function plotsOf(trace: Fig6Trace, latencyMs: number): readonly Plot[] {
  const runs = trace.runs.filter(
    ({ series, activationMs }) => series.length > 0 && activationMs === clusterMs,
  )
  const series = charts.map(({ name, axis, value }): Plot => {
    const own = name === 'rate' ? runs.slice(0, 1) : runs
    return {
      name: `${trace.shape}-${name}`,
      title: `${trace.shape}: ${name}`,
      x: { name: 'time served (min)' },
      y: { name: axis, kind: name === 'p99' ? 'log' : 'value' },
      series: own.map(({ system, series }): PlotSeries => {
        const points = series.map((sample) => [sample.atMs / 60_000, sample[value]] as const)
        return { name: name === 'rate' ? 'rate' : system, kind: 'line', points }
      }),
      ...(name === 'p99' && { mark: { y: latencyMs, text: `${latencyMs} ms` } }),
    }
  })
  return [...series, outcomePlot(trace)]
}

/** A logarithmic axis has no 0. */
const leastDrawn = 0.001

function outcomePlot(trace: Fig6Trace): Plot {
  const ours = trace.runs.filter((run) => !run.isBaseline && run.activationMs === clusterMs)
  return {
    name: `${trace.shape}-outcome`,
    title: `${trace.shape}: misses and cost`,
    x: { name: 'cost of the part served ($)', kind: 'log' },
    y: { name: `late (%), ${leastDrawn} or more`, kind: 'log' },
    series: [...ours, ...bestBaselines(trace)].map(({ system, cost, attainment }) => ({
      name: system,
      kind: 'points',
      points: [[cost, Math.max(leastDrawn, 100 * (1 - attainment))]],
    })),
  }
}

function tableOf({
  shape,
  seed,
  durationMs,
  sampleRatePerS,
  liveRatePerS,
  runs,
}: Fig6Trace): FigureTable {
  const heading = [
    'system',
    'setting',
    'activation',
    'plan',
    'attainment',
    'late',
    'p99',
    'cost',
    'changes',
  ]
  const rows = runs.map((run) => [
    run.system,
    run.setting ?? '',
    `${run.activationMs} ms`,
    `${run.plan.strategy}, p${run.plan.percentile}: ${dollars(run.plan.costPerHour)}/h`,
    percent(run.attainment),
    `${run.late}`,
    milliseconds(run.p99Ms),
    dollars(run.cost),
    `${run.changes}`,
  ])
  const minutes = `${(durationMs * 0.75) / 60_000} min served`
  const rates = `${sampleRatePerS.toFixed(0)}/s planned for, ${liveRatePerS.toFixed(0)}/s served`
  return {
    title: `${shape}, seed ${seed}: ${minutes}, mean rates ${rates}`,
    rows: [heading, ...rows],
  }
}
