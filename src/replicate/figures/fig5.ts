import { Estimator } from '../../estimator/estimator.ts'
import type { Strategy, Tuning } from '../../planner/plan.ts'
import { Trace } from '../../workload/trace.ts'
import type { Figure, FigureTerms } from '../figure.ts'
import { paperPipeline, paperPipelines, profileDifferences } from '../paper-pipelines.ts'
import { planOrRefusal } from '../plan-or-refusal.ts'
import { Steps } from '../steps.ts'
import type { Fig5Answer, Fig5Data, Fig5Point } from './fig5-data.ts'
import { presentFig5 } from './fig5-presentation.ts'

/** What plans: a strategy, and the percentage of requests that it is asked to have in time. */
interface Fig5System {
  readonly name: string
  readonly strategy: Strategy
  readonly percentile: number
}

const fig5Systems: readonly Fig5System[] = [
  { name: 'optimal', strategy: 'optimal', percentile: 99 },
  { name: 'optimal, 99.5 %', strategy: 'optimal', percentile: 99.5 },
  { name: 'inferline', strategy: 'inferline', percentile: 99 },
  { name: 'cg-mean', strategy: 'cg-mean', percentile: 99 },
  { name: 'cg-peak', strategy: 'cg-peak', percentile: 99 },
]

const latencyMs = 150
const fullDurationMs = 60_000
const quickDurationMs = 30_000
const cv2s = [1, 4]
/** Traces that show whether a miss is the plan's or the trace's. */
const freshTraces = 10
/** So that no fresh trace is one that something is planned for, as long as there are fewer points. */
const seedsOfPoints = 1000

export const fig5: Figure<Fig5Data> = {
  name: 'fig5',
  title: 'the planner against coarse-grained provisioning',
  question:
    'Does planning stage by stage cost less than replicating the pipeline as one black box, and does it meet the objective?',
  protocol: `For each of the four pipelines, at each rate and burstiness, a trace of gamma arrivals (a minute, half of one where quick) is planned for with an objective of ${latencyMs} ms for 99 % of the requests; each plan then serves a fresh trace of the same process and length. CG-Mean and CG-Peak replicate the whole pipeline, with one batch size for all stages, for the mean rate and for the most arrivals in any ${latencyMs} ms. Beside them: the greedy planner of the paper (inferline), the true minimum (optimal), and the minimum that has 99.5 % in time on the trace it plans for. The two minima serve nine more fresh traces, which tell what is wrong with a plan that misses on the first: the plan, or the trace.`,
  differences: [
    ...profileDifferences,
    'Nothing limits the replicas: the paper ran CG-Peak only where its cluster had room, up to 300 requests/s.',
    'Attainment on the fresh trace is simulated, where the paper served it.',
  ],
  isMeasured: false,
  run,
  present: presentFig5,
}

async function run(terms: FigureTerms): Promise<Fig5Data> {
  const rates = terms.quick ? [100, 300] : [50, 100, 150, 200, 300, 400]
  const durationMs = terms.quick ? quickDurationMs : fullDurationMs
  const steps = new Steps(terms, paperPipelines.length * cv2s.length * rates.length)
  const points: Fig5Point[] = []
  for (const pipeline of paperPipelines) {
    for (const cv2 of cv2s) {
      for (const ratePerS of rates) {
        steps.next(`${pipeline}, ${ratePerS}/s, cv2 ${cv2}`)
        const seed = terms.seed + 2 * points.length
        points.push(await runPoint({ pipeline, cv2, ratePerS }, { durationMs, ...terms, seed }))
      }
    }
  }
  return { latencyMs, durationMs, points }
}

async function runPoint(
  point: Omit<Fig5Point, 'answers'>,
  { durationMs, seed, signal }: FigureTerms & { readonly durationMs: number },
): Promise<Fig5Point> {
  const { pipeline, cv2, ratePerS } = point
  const basis = await paperPipeline(pipeline)
  const traceOf = (seed: number) => Trace.gamma({ ratePerS, cv2, durationMs, seed })
  const [trace, fresh] = [traceOf(seed), traceOf(seed + 1)]
  const more = Array.from({ length: freshTraces - 1 }, (_, at) => {
    return traceOf(seed + seedsOfPoints * (at + 1))
  })
  const estimator = new Estimator({ ...basis, seed })
  const answers: Fig5Answer[] = []
  for (const { name, strategy, percentile } of fig5Systems) {
    const objective = { latencyMs, percentile }
    const planned = await planOrRefusal(strategy, { basis, trace, objective, signal })
    if ('refusal' in planned) {
      answers.push({ system: name, refusal: planned.refusal })
      continue
    }
    const { configuration, costPerHour, estimate, tuning } = planned.plan
    const serve = (trace: Trace) => estimator.estimate(configuration, { trace, objective, signal })
    const served = await serve(fresh)
    const freshAttainments = [served.attainment]
    for (const trace of strategy === 'optimal' ? more : []) {
      freshAttainments.push((await serve(trace)).attainment)
    }
    answers.push({
      system: name,
      costPerHour,
      plannedAttainment: estimate.attainment,
      attainment: served.attainment,
      p99Ms: served.p99Ms,
      fullest: fullestOf(tuning),
      ...(strategy === 'optimal' && { freshAttainments }),
    })
  }
  return { ...point, answers }
}

function fullestOf({ stages }: Tuning): { readonly stage: string; readonly load: number } {
  const loads = Object.entries(stages).map(([stage, { load }]) => ({ stage, load }))
  return loads.reduce((fullest, one) => (one.load > fullest.load ? one : fullest))
}
