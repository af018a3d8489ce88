import type { FigureTable, Finding, Presentation } from '../figure.ts'
import { dollars, percent } from '../number-text.ts'
import type { Plot } from '../plot.ts'
import type { AttributionData, AttributionRun } from './attribution-data.ts'

type AttributionTrace = AttributionData['traces'][number]

export function presentAttribution({ traces }: AttributionData): Presentation {
  return {
    findings: traces.flatMap((trace) => [ofPlanner(trace), ofTuner(trace)]),
    plots: traces.flatMap(plotsOf),
    tables: traces.map(tableOf),
  }
}

function runOf(
  { runs }: AttributionTrace,
  planner: AttributionRun['planner'],
  tuner: AttributionRun['tuner'],
): AttributionRun {
  const none = {
    planner,
    tuner,
    plannedAttainment: 0,
    requests: 0,
    late: 0,
    attainment: 0,
    cost: Number.NaN,
  }
  return runs.find((run) => run.planner === planner && run.tuner === tuner) ?? none
}

function ofPlanner(trace: AttributionTrace): Finding {
  const [neither, planner, tuner, both] = corners(trace)
  const byPlanner = 1 - planner.cost / neither.cost
  const byTuner = 1 - tuner.cost / neither.cost
  return {
    claim: `${trace.shape}: most of the saving comes of the planner`,
    published: 'most of the cost saving comes from the planner',
    confidence: 'likely',
    ours: `from ${dollars(neither.cost)} (both coarse-grained) our planner alone saves ${percent(byPlanner, 0)}, our tuner alone ${percent(byTuner, 0)}, both ${percent(1 - both.cost / neither.cost, 0)}`,
    verdict: byPlanner > byTuner ? 'confirmed' : 'not confirmed',
    ...(byPlanner <= byTuner && {
      analysis: `Our planner is asked for 99.9 % in time, where the coarse-grained one provides the mean and may be late: the saving of the one is spent on being in time. Our tuner alone spends less for attaining less, ${percent(tuner.attainment)}; with both, what is spent on the plan is saved by the tuner many times over.`,
    }),
  }
}

function ofTuner(trace: AttributionTrace): Finding {
  const [neither, planner, tuner, both] = corners(trace)
  const [slowNeither, slowPlanner] = [
    runOf(trace, 'coarse', 'coarse, slow'),
    runOf(trace, 'ours', 'coarse, slow'),
  ]
  const isSo = planner.late - both.late > neither.late - planner.late
  const isSoSlow = slowPlanner.late - both.late > slowNeither.late - slowPlanner.late
  return {
    claim: `${trace.shape}: most of the misses avoided are due to the tuner`,
    published: 'most of the miss reduction comes from the tuner',
    confidence: 'likely',
    ours: `late of ${both.requests}: ${neither.late} with both coarse-grained, ${planner.late} with our planner alone, ${tuner.late} with our tuner alone, ${both.late} with both; with the slow coarse-grained tuner ${slowNeither.late}, ${slowPlanner.late} with our planner`,
    verdict: isSo ? 'confirmed' : isSoSlow ? 'confirmed in part' : 'not confirmed',
    ...(!isSo && {
      analysis: `Our plan, grown in proportion to the busiest second (or ten) of the last two minutes, keeps at every rate the slack it was planned with (${percent(planner.plannedAttainment)} in time), and so misses next to nothing for ${dollars(planner.cost)}; our tuner spends ${dollars(both.cost)} on the same plan: here it is money that the tuner saves. On the coarse-grained plan for the mean, which has ${percent(neither.plannedAttainment)} in time on what it was made for, our tuner attains ${percent(tuner.attainment)}: it keeps to what its plan was good for. The published baseline, whose settings are not known, reacted more slowly than this one.`,
    }),
  }
}

/** Both coarse, our planner with the coarse tuner, our tuner on the coarse plan, both ours. */
function corners(trace: AttributionTrace) {
  return [
    runOf(trace, 'coarse', 'coarse'),
    runOf(trace, 'ours', 'coarse'),
    runOf(trace, 'coarse', 'ours'),
    runOf(trace, 'ours', 'ours'),
  ] as const
}

function labelOf({ planner, tuner }: AttributionRun): string {
  return `${planner} + ${tuner}`
}

function plotsOf({ shape, runs }: AttributionTrace): readonly Plot[] {
  const x = { name: 'planner + tuner', kind: 'category' as const, categories: runs.map(labelOf) }
  const bars = (value: (run: AttributionRun) => number) => [
    { name: shape, kind: 'bar' as const, points: runs.map((run, at) => [at, value(run)] as const) },
  ]
  return [
    {
      name: `${shape}-late`,
      title: `${shape}: late requests`,
      x,
      y: { name: 'late (%)' },
      series: bars(({ attainment }) => 100 * (1 - attainment)),
    },
    {
      name: `${shape}-cost`,
      title: `${shape}: cost`,
      x,
      y: { name: 'cost of the part served ($)' },
      series: bars(({ cost }) => cost),
    },
  ]
}

function tableOf({ shape, runs }: AttributionTrace): FigureTable {
  const rows = runs.map((run) => [
    run.planner,
    run.tuner,
    percent(run.plannedAttainment),
    percent(run.attainment),
    `${run.late}`,
    dollars(run.cost),
  ])
  return {
    title: shape,
    rows: [
      ['planner', 'tuner', 'plan alone, on its own trace', 'attainment', 'late', 'cost'],
      ...rows,
    ],
  }
}
