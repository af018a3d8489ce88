import type { Plan } from '../../planner/plan.ts'
import { cgTune } from '../baselines/cg-tune.ts'
import { noTuner } from '../baselines/no-tuner.ts'
import type { Figure, FigureTerms } from '../figure.ts'
import { LivePlans } from '../live-plans.ts'
import { type Control, liveRun } from '../live-run.ts'
import { type PlanChoice, tuned } from '../live-systems.ts'
import { type LiveTrace, liveTrace } from '../live-traces.ts'
import { type Basis, paperPipeline, profileDifferences } from '../paper-pipelines.ts'
import { Steps } from '../steps.ts'
import type { AttributionData, AttributionRun, AttributionTrace } from './attribution-data.ts'
import { presentAttribution } from './attribution-presentation.ts'

const latencyMs = 150
const activationMs = 5000
const shapes = ['big-spike', 'large-variations'] as const
const durationMs = 3_600_000
/** Over which the coarse-grained tuner counts arrivals: published nowhere. */
const windowsMs = [1000, 10_000, 30_000]

const planners: Readonly<Record<AttributionRun['planner'], PlanChoice>> = {
  coarse: { strategy: 'cg-mean', percentile: 99 },
  ours: { strategy: 'optimal', percentile: 99.9 },
}

type Pair = Pick<AttributionRun, 'planner' | 'tuner' | 'windowMs'>

/** First the steps from nothing of ours to all of it, as the paper goes; then what tells why. */
const pairs: readonly Pair[] = [
  { planner: 'coarse', tuner: 'none' },
  { planner: 'ours', tuner: 'none' },
  ...windowsMs.map((windowMs) => ({
    planner: 'ours' as const,
    tuner: 'coarse' as const,
    windowMs,
  })),
  { planner: 'ours', tuner: 'ours' },
  ...windowsMs.map((windowMs) => ({
    planner: 'coarse' as const,
    tuner: 'coarse' as const,
    windowMs,
  })),
  { planner: 'coarse', tuner: 'ours' },
  ...windowsMs.map((windowMs) => {
    return { planner: 'ours' as const, tuner: 'coarse, by stage' as const, windowMs }
  }),
]

function controlOf({ planner, tuner, windowMs }: Pair, plan: Plan): Control {
  if (tuner === 'none') return noTuner
  if (tuner === 'ours') return tuned('level')(plan)
  const whole = planner === 'coarse' ? 'boxes' : 'copies'
  const unit = tuner === 'coarse' ? whole : 'proportional'
  return cgTune({ plan, rate: 'mean', windowMs, unit })
}

export const attribution: Figure<AttributionData> = {
  name: 'attribution',
  title: 'what comes of the planner, and what of the tuner',
  question:
    'How much of the saving, and of the misses avoided, is due to the planner, how much to the tuner?',
  protocol: `The traces of fig6 are served step by step, as in the paper: by the coarse-grained plan (for the mean rate) alone; by our plan alone; by our plan with the coarse-grained tuner; by our plan with our tuner. To tell the two apart, also by the coarse-grained plan with the coarse-grained tuner, and with ours. The coarse-grained tuner follows one rule with either plan: the pipeline is a black box, of whose copies it has as many as sustain the rate. Added replicas serve after ${activationMs / 1000} s.`,
  differences: [
    ...profileDifferences,
    'As for fig6.',
    `Over how long the published baseline counts arrivals is not known: it is run with ${windowsMs.map((each) => each / 1000).join(', ')} s, and a trend is confirmed where it holds with each of them.`,
    'Beside it a tuner that nobody published, “coarse, by stage”: the same counting, but each stage of our plan grows in proportion to the rate by single replicas, and keeps the slack that our planner gave it.',
  ],
  isMeasured: false,
  run,
  present: presentAttribution,
}

async function run(terms: FigureTerms): Promise<AttributionData> {
  const chosen = terms.quick ? shapes.slice(0, 1) : shapes
  const steps = new Steps(terms, chosen.length * pairs.length)
  const basis = await paperPipeline('social-media')
  const traces: AttributionTrace[] = []
  for (const shape of chosen) {
    const trace = liveTrace({ shape, seed: terms.seed, durationMs })
    const { sample } = trace
    const plans = new LivePlans({ basis, sample, latencyMs, signal: terms.signal })
    const runs: AttributionRun[] = []
    for (const pair of pairs) {
      steps.next(`${shape}: planner ${pair.planner}, tuner ${pair.tuner}`)
      await new Promise(setImmediate)
      runs.push(await runPair(pair, { trace, plans, basis, seed: terms.seed }))
    }
    traces.push({ shape, runs })
  }
  return { latencyMs, activationMs, traces }
}

async function runPair(
  pair: Pair,
  given: {
    readonly trace: LiveTrace
    readonly plans: LivePlans
    readonly basis: Basis
    readonly seed: number
  },
): Promise<AttributionRun> {
  const { trace, plans, basis, seed } = given
  const plan = await plans.of(planners[pair.planner])
  const { requests, late, attainment, cost } = liveRun({
    basis,
    configuration: plan.configuration,
    trace: trace.live,
    latencyMs,
    control: controlOf(pair, plan),
    activationMs,
    seed,
  })
  const { costPerHour: planCostPerHour, estimate } = plan
  const plannedAttainment = estimate.attainment
  return { ...pair, planCostPerHour, plannedAttainment, requests, late, attainment, cost }
}
