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
import type { AttributionData, AttributionRun } from './attribution-data.ts'
import { presentAttribution } from './attribution-presentation.ts'

const latencyMs = 150
const activationMs = 5000
const shapes = ['big-spike', 'large-variations'] as const
const durationMs = 3_600_000

const planners: Readonly<Record<AttributionRun['planner'], PlanChoice>> = {
  coarse: { strategy: 'cg-mean', percentile: 99 },
  ours: { strategy: 'optimal', percentile: 99.9 },
}

/** What changes replicas, by what they were planned by. */
const tuners: Readonly<
  Record<AttributionRun['tuner'], (plan: Plan, planner: AttributionRun['planner']) => Control>
> = {
  none: () => noTuner,
  coarse: (plan, planner) => coarse(plan, { planner, windowMs: 1000 }),
  'coarse, slow': (plan, planner) => coarse(plan, { planner, windowMs: 10_000 }),
  ours: tuned('level'),
}

function coarse(
  plan: Plan,
  { planner, windowMs }: { readonly planner: AttributionRun['planner']; readonly windowMs: number },
): Control {
  const unit = planner === 'coarse' ? 'boxes' : 'proportional'
  return cgTune({ plan, rate: 'mean', windowMs, unit })
}

export const attribution: Figure<AttributionData> = {
  name: 'attribution',
  title: 'what comes of the planner, and what of the tuner',
  question:
    'How much of the saving, and of the misses avoided, is due to the planner, how much to the tuner?',
  protocol:
    'The traces of fig6, served by every pair of planner (coarse-grained for the mean rate, or ours) and tuner (none, ours, or coarse-grained, which counts the arrivals of one second or, slow, of ten). With a plan of ours the coarse-grained tuner grows all stages in proportion to the rate. Added replicas serve after 5 s.',
  differences: [...profileDifferences, 'As for fig6.'],
  revision: 1,
  isMeasured: false,
  run,
  present: presentAttribution,
}

async function run(terms: FigureTerms): Promise<AttributionData> {
  const pairs = (['coarse', 'ours'] as const).flatMap((planner) =>
    (['none', 'coarse', 'coarse, slow', 'ours'] as const).map((tuner) => ({ planner, tuner })),
  )
  const chosen = terms.quick ? shapes.slice(0, 1) : shapes
  const steps = new Steps(terms, chosen.length * pairs.length)
  const basis = await paperPipeline('social-media')
  const traces: AttributionData['traces'][number][] = []
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
  pair: Pick<AttributionRun, 'planner' | 'tuner'>,
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
    control: tuners[pair.tuner](plan, pair.planner),
    activationMs,
    seed,
  })
  const plannedAttainment = plan.estimate.attainment
  return { ...pair, plannedAttainment, requests, late, attainment, cost }
}
