import type { FigureTable, Finding, Presentation, Verdict } from '../figure.ts'
import { dollars, percent } from '../number-text.ts'
import type { Plot } from '../plot.ts'
import type { AttributionData, AttributionRun, AttributionTrace } from './attribution-data.ts'

export function presentAttribution({ traces }: AttributionData): Presentation {
  return {
    findings: traces.flatMap((trace) => [
      savingOfPlanner(trace),
      missesOfTuner(trace),
      ourTuner(trace),
    ]),
    plots: traces.flatMap((trace) => [stepsPlot(trace), allPlot(trace)]),
    tables: traces.map(tableOf),
  }
}

type Planner = AttributionRun['planner']
type Tuner = AttributionRun['tuner']

const nothing: AttributionRun = {
  planner: 'coarse',
  tuner: 'none',
  planCostPerHour: Number.NaN,
  plannedAttainment: Number.NaN,
  requests: 0,
  late: Number.NaN,
  attainment: Number.NaN,
  cost: Number.NaN,
}

/** All runs of a pair: one for each time that its tuner counts arrivals over, shortest first. */
function runsOf({ runs }: AttributionTrace, planner: Planner, tuner: Tuner) {
  return runs.filter((run) => run.planner === planner && run.tuner === tuner)
}

function runOf(trace: AttributionTrace, planner: Planner, tuner: Tuner): AttributionRun {
  return runsOf(trace, planner, tuner)[0] ?? nothing
}

function verdictOf(holds: readonly boolean[]): Verdict {
  if (holds.every(Boolean)) return 'confirmed'
  return holds.some(Boolean) ? 'confirmed in part' : 'not confirmed'
}

/** From both coarse-grained: what our planner saves with the coarse tuner kept, and our tuner with the coarse plan kept. */
function savingOfPlanner(trace: AttributionTrace): Finding {
  const [tuner, both] = [runOf(trace, 'coarse', 'ours'), runOf(trace, 'ours', 'ours')]
  const planners = runsOf(trace, 'ours', 'coarse')
  const rows = runsOf(trace, 'coarse', 'coarse').map((neither, at) => {
    const saved = ({ cost }: AttributionRun) => 1 - cost / neither.cost
    const planner = planners[at] ?? nothing
    return { neither, byPlanner: saved(planner), byTuner: saved(tuner), byBoth: saved(both) }
  })
  const holds = rows.map(({ byPlanner, byTuner }) => byPlanner > byTuner)
  const list = rows.map(({ neither, byPlanner, byTuner, byBoth }) => {
    return `counting ${windowText(neither)}, from ${dollars(neither.cost)}: planner ${changeText(byPlanner)}, tuner ${changeText(byTuner)}, both ${changeText(byBoth)}`
  })
  return {
    claim: `${trace.shape}: most of the saving comes of the planner`,
    published: 'most of the cost saving comes from the planner',
    confidence: 'likely',
    ours: list.join('; '),
    verdict: verdictOf(holds),
    reason: holds.every(Boolean)
      ? 'With the coarse-grained tuner kept, our plan saves more than our tuner does with the coarse-grained plan kept, over whatever time arrivals are counted.'
      : 'Over some of the times that arrivals are counted our tuner saves more than our plan.',
    analysis: `Our plan costs ${dollars(both.planCostPerHour)}/h and the coarse-grained one for the mean rate ${dollars(tuner.planCostPerHour)}/h, since it puts every stage on the fastest tier. Our tuner on that plan keeps the slack that it was planned with, which is none: it attains ${percent(tuner.attainment)} and pays for whole boxes of the dear tier.`,
  }
}

/** Without a tuner, our plan instead of the coarse one; then our tuner, added to our plan. */
function missesOfTuner(trace: AttributionTrace): Finding {
  const [coarse, plan] = [runOf(trace, 'coarse', 'none'), runOf(trace, 'ours', 'none')]
  const both = runOf(trace, 'ours', 'ours')
  const [byPlanner, byTuner] = [coarse.late - plan.late, plan.late - both.late]
  const isSo = byTuner > byPlanner
  return {
    claim: `${trace.shape}: most of the misses avoided are due to the tuner`,
    published: 'most of the miss reduction comes from the tuner',
    confidence: 'likely',
    ours: `late of ${both.requests}: coarse-grained plan alone ${coarse.late}, our plan alone ${plan.late}, with our tuner ${both.late}`,
    verdict: isSo ? 'confirmed' : 'not confirmed',
    reason: isSo
      ? `A plan cannot serve what it was not made for, whoever made it: tuning avoids ${byTuner} misses, planning ${byPlanner > 0 ? byPlanner : 'none'}.`
      : `Planning avoids ${byPlanner} misses, tuning ${byTuner}.`,
  }
}

/** The two tuners on the same plan. */
function ourTuner(trace: AttributionTrace): Finding {
  const own = runOf(trace, 'ours', 'ours')
  const coarse = runsOf(trace, 'ours', 'coarse')
  const byStage = runsOf(trace, 'ours', 'coarse, by stage')
  const holds = coarse.map(({ late }) => late > own.late)
  const beaten = coarse.filter(({ late }) => late <= own.late)
  const dearer = beaten.filter(({ cost }) => cost > own.cost)
  return {
    claim: `${trace.shape}: on the same plan our tuner misses less than the coarse-grained one`,
    published: 'the planner with the baseline tuner adapts too late to avoid all misses',
    confidence: 'likely',
    ours: `late: ours ${own.late} at ${dollars(own.cost)}; coarse-grained ${coarse.map(outcomeText).join(', ')}`,
    verdict: verdictOf(holds),
    reason: holds.every(Boolean)
      ? 'It does, over whatever time the coarse-grained tuner counts arrivals: the longer, the later it sees that the rate has risen.'
      : `Counting arrivals of ${beaten.map(windowText).join(' or ')} the coarse-grained tuner misses no more${dearer.length === beaten.length ? ', at a higher cost' : ''}; counting longer it is too late.`,
    analysis: `How fast the baseline sees the rate decides, and the slack that it keeps. A coarse-grained tuner that grows each stage of our plan in proportion to the rate, and so keeps the plan’s slack (${percent(own.plannedAttainment)} in time), has ${byStage.map(outcomeText).join(', ')} late, against ${own.late} at ${dollars(own.cost)} of ours: it holds the replicas of the busiest moment for two minutes, which misses little and costs more. Most of what sets our tuner apart from it on these traces, whose rate takes half a minute or more to rise, is cost; what sets it apart from the published baseline is that this one fills whole copies of the plan to their last request.`,
  }
}

function outcomeText(run: AttributionRun): string {
  return `${run.late} at ${dollars(run.cost)} (${windowText(run)})`
}

function windowText({ windowMs = 0 }: AttributionRun): string {
  return `${windowMs / 1000} s`
}

function changeText(saved: number): string {
  return saved >= 0 ? `saves ${percent(saved, 0)}` : `costs ${percent(-saved, 0)} more`
}

/** As the paper goes from nothing of its own to all. */
const steps: readonly {
  readonly planner: Planner
  readonly tuner: Tuner
  readonly text: string
}[] = [
  { planner: 'coarse', tuner: 'none', text: 'coarse plan' },
  { planner: 'ours', tuner: 'none', text: 'our plan' },
  { planner: 'ours', tuner: 'coarse', text: 'our plan,\ncoarse tuner' },
  { planner: 'ours', tuner: 'ours', text: 'our plan,\nour tuner' },
]

/** Of the coarse-grained tuner, where it counts ten seconds. */
const shownWindowMs = 10_000

function stepsPlot(trace: AttributionTrace): Plot {
  const shares = steps.map(({ planner, tuner }) => {
    const runs = runsOf(trace, planner, tuner)
    const { attainment } =
      runs.find(({ windowMs }) => windowMs === shownWindowMs) ?? runs[0] ?? nothing
    return 100 * (1 - attainment)
  })
  return {
    name: `${trace.shape}-steps`,
    title: `${trace.shape}: late requests, step by step`,
    x: { name: 'served by', kind: 'category', categories: steps.map(({ text }) => text) },
    y: { name: 'late (%)' },
    series: [
      {
        name: 'late',
        kind: 'bar',
        labelDecimals: 2,
        points: shares.map((share, at) => [at, share]),
      },
    ],
  }
}

/** A logarithmic axis has no 0. */
const leastDrawn = 0.001

function allPlot({ shape, runs }: AttributionTrace): Plot {
  const names = [...new Set(runs.map(labelOf))]
  return {
    name: `${shape}-all`,
    title: `${shape}: misses and cost by planner + tuner`,
    x: { name: 'cost of the part served ($)' },
    y: { name: `late (%), ${leastDrawn} or more`, kind: 'log' },
    series: names.map((name) => ({
      name,
      kind: 'points',
      points: runs
        .filter((run) => labelOf(run) === name)
        .map(({ cost, attainment }) => {
          return [cost, Math.max(leastDrawn, 100 * (1 - attainment))] as const
        }),
    })),
  }
}

function labelOf({ planner, tuner }: AttributionRun): string {
  return `${planner} + ${tuner}`
}

function tableOf({ shape, runs }: AttributionTrace): FigureTable {
  const rows = runs.map((run) => [
    run.planner,
    run.tuner,
    run.windowMs === undefined ? '' : windowText(run),
    `${dollars(run.planCostPerHour)}/h`,
    percent(run.plannedAttainment),
    percent(run.attainment),
    `${run.late}`,
    dollars(run.cost),
  ])
  const heading = [
    'planner',
    'tuner',
    'counts',
    'plan',
    'plan alone, on its own trace',
    'attainment',
    'late',
    'cost',
  ]
  return { title: shape, rows: [heading, ...rows] }
}
