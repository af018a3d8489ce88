import { envelopeWindowsMs } from '../workload/envelope.ts'
import type { Trace } from '../workload/trace.ts'
import type { Candidate } from './choice.ts'
import type { Tuning } from './plan.ts'
import type { StageGraph } from './stage-graph.ts'
import { longestPathMs } from './stage-graph.ts'

/** What a tuner has to know of a plan (InferLine, section 5): the first window is the pipeline's service time. */
export function tuning(
  candidate: Candidate,
  { graph, trace }: { readonly graph: StageGraph; readonly trace: Trace },
): Tuning {
  const serviceMs = longestPathMs(
    graph,
    candidate.map(({ option }) => option.serviceMs[option.maxBatch] ?? 0),
  )
  const spanMs = (trace.arrivalsMs.at(-1) ?? 0) - (trace.arrivalsMs[0] ?? 0)
  const ratePerS = (1000 * trace.arrivalsMs.length) / Math.max(spanMs, serviceMs)
  return {
    envelope: trace.envelope(envelopeWindowsMs(Math.max(serviceMs, shortestWindowMs))),
    stages: Object.fromEntries(
      candidate.map(({ option, replicas }, stage) => {
        const replicaRatePerS = (1000 * option.maxBatch) / (option.serviceMs[option.maxBatch] ?? 1)
        const scaleFactor = graph.meanRows[stage] ?? 1
        const load = (ratePerS * scaleFactor) / (replicas * replicaRatePerS)
        return [graph.names[stage] as string, { replicaRatePerS, scaleFactor, load }]
      }),
    ),
  }
}

const shortestWindowMs = 1
