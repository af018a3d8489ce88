import type { Estimate, PlannedConfiguration } from '../../estimator/estimate.ts'
import { Estimator } from '../../estimator/estimator.ts'
import { Trace } from '../../workload/trace.ts'
import type { Figure, FigureTerms } from '../figure.ts'
import { planOrRefusal } from '../plan-or-refusal.ts'
import { Steps } from '../steps.ts'
import { type RetrievalBasis, retrievalPipeline } from './retrieval-pipeline.ts'
import type { SplitAnswer, SplitData, SplitPoint } from './slo-split-data.ts'
import { presentSplit } from './slo-split-presentation.ts'

const latencyMs = 100
const percentile = 99
const durationMs = 60_000
/** Of the budget, for the retriever. */
const shares = [0.2, 0.5, 0.8]

export const sloSplit: Figure<SplitData> = {
  name: 'slo-split',
  title: 'who gets which part of the latency budget',
  question:
    'How does the planner divide an objective of 100 ms between a retriever and the model that reads what it finds, and what do fixed splits cost instead?',
  protocol: `A retrieval pipeline, retriever then model, is planned for as a whole (optimal) with ${latencyMs} ms for ${percentile} % of the requests. For each fixed split, each stage is planned for alone, at the least cost, with its part of the budget as its objective; the two together then serve the same trace, and a fresh one. How a plan divides the budget is read off its estimate: the time of a full batch of a stage and what 99 of 100 rows wait for it.`,
  differences: [
    'The paper has no such figure: it argues that the planner finds the split by itself (section 4), since it only ever looks at the latency of the whole.',
    'No published profile of a retriever: AlexNet’s numbers stand in for the encoder of the retriever, ResNet-152’s for the model (profiles/tf-cascade.json), each run once a request.',
  ],
  isMeasured: false,
  run,
  present: presentSplit,
}

async function run(terms: FigureTerms): Promise<SplitData> {
  const rates = terms.quick ? [100] : [50, 100, 200]
  const cv2s = [1, 4]
  const steps = new Steps(terms, rates.length * cv2s.length)
  const pipeline = await retrievalPipeline()
  const points: SplitPoint[] = []
  for (const cv2 of cv2s) {
    for (const ratePerS of rates) {
      steps.next(`${ratePerS}/s, cv2 ${cv2}`)
      points.push(await runPoint({ ratePerS, cv2 }, { pipeline, terms }))
    }
  }
  return { latencyMs, durationMs, points }
}

async function runPoint(
  { ratePerS, cv2 }: { readonly ratePerS: number; readonly cv2: number },
  { pipeline, terms }: { readonly pipeline: RetrievalBasis; readonly terms: FigureTerms },
): Promise<SplitPoint> {
  const { seed, signal } = terms
  const trace = Trace.gamma({ ratePerS, cv2, durationMs, seed })
  const fresh = Trace.gamma({ ratePerS, cv2, durationMs, seed: seed + 1 })
  const estimator = new Estimator({ ...pipeline.whole, seed })
  const objective = { latencyMs, percentile }
  const answers: SplitAnswer[] = []
  const add = async (split: string, configuration: PlannedConfiguration) => {
    const planned = await estimator.estimate(configuration, { trace, objective, signal })
    const served = await estimator.estimate(configuration, { trace: fresh, objective, signal })
    answers.push(answerOf({ split, configuration, planned, served }, pipeline))
  }
  const whole = await planOrRefusal('optimal', { basis: pipeline.whole, trace, objective, signal })
  if ('plan' in whole) await add('planner', whole.plan.configuration)
  else answers.push({ split: 'planner', refusal: whole.refusal })
  for (const share of shares) {
    const split = `${Math.round(100 * share)}/${Math.round(100 * (1 - share))}`
    const parts = await planApart(share, { pipeline, trace, terms })
    if ('refusal' in parts) answers.push({ split, refusal: parts.refusal })
    else await add(split, parts.configuration)
  }
  return { ratePerS, cv2, answers }
}

/** Each stage by itself, with its part of the budget. */
async function planApart(
  share: number,
  given: { readonly pipeline: RetrievalBasis; readonly trace: Trace; readonly terms: FigureTerms },
): Promise<{ readonly configuration: PlannedConfiguration } | { readonly refusal: string }> {
  const { pipeline, trace, terms } = given
  let configuration: PlannedConfiguration = {}
  for (const [stage, part] of [
    ['retriever', share],
    ['model', 1 - share],
  ] as const) {
    const planned = await planOrRefusal('optimal', {
      basis: pipeline.alone[stage],
      trace,
      objective: { latencyMs: part * latencyMs, percentile },
      signal: terms.signal,
    })
    if ('refusal' in planned) return { refusal: `${stage}: ${planned.refusal}` }
    configuration = { ...configuration, ...planned.plan.configuration }
  }
  return { configuration }
}

function answerOf(
  given: {
    readonly split: string
    readonly configuration: PlannedConfiguration
    readonly planned: Estimate
    readonly served: Estimate
  },
  { serviceMs }: RetrievalBasis,
): SplitAnswer {
  const { split, configuration, planned, served } = given
  const stages = Object.entries(configuration).map(([stage, planOf]) => {
    const { tier, maxBatch, replicas } = planOf
    const { queueP99Ms = 0, meanBatch = 0 } = planned.stages[stage] ?? {}
    const batchMs = serviceMs(stage, planOf)
    return { stage, tier, maxBatch, replicas, batchMs, queueP99Ms, meanBatch }
  })
  return {
    split,
    costPerHour: planned.costPerHour,
    plannedAttainment: planned.attainment,
    attainment: served.attainment,
    p99Ms: served.p99Ms,
    stages,
  }
}
