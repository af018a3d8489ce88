/** The table of trials, in the order in which they run. */
import { cancel } from './cancel.ts'
import { estimateVsLive } from './estimate-vs-live.ts'
import { eventLoopDelayTrial } from './event-loop-delay.ts'
import { firstInference } from './first-inference.ts'
import { gpuDispatch, gpuHandoff, gpuOverlap, gpuPinned, gpuSaturation } from './gpu.ts'
import { hotSwap } from './hot-swap.ts'
import { httpBinary } from './http-binary.ts'
import { httpOverhead } from './http-overhead.ts'
import { httpVsDirect } from './http-vs-direct.ts'
import { importTime } from './import-time.ts'
import { jsStage } from './js-stage.ts'
import { metricsCost } from './metrics-cost.ts'
import { noopLatency } from './noop-latency.ts'
import { noopThroughput } from './noop-throughput.ts'
import { overload } from './overload.ts'
import { plannerOptimality } from './planner-optimality.ts'
import { plannerSpeed } from './planner-speed.ts'
import { plannerVsPaper } from './planner-vs-paper.ts'
import { ragged } from './ragged.ts'
import { ring } from './ring.ts'
import { saturation } from './saturation.ts'
import { sharedWeights } from './shared-weights.ts'
import { simulatorSpeed } from './simulator-speed.ts'
import { smallModel } from './small-model.ts'
import { tracingCost } from './tracing-cost.ts'
import type { Comparison, Trial, TrialOptions } from './trial.ts'
import { tunerOverhead } from './tuner-overhead.ts'
import { tunerReaction } from './tuner-reaction.ts'

export const trials: readonly Trial[] = [
  noopThroughput,
  noopLatency,
  smallModel,
  saturation,
  eventLoopDelayTrial,
  ring,
  sharedWeights,
  overload,
  jsStage,
  hotSwap,
  ragged,
  cancel,
  simulatorSpeed,
  estimateVsLive,
  plannerSpeed,
  plannerOptimality,
  plannerVsPaper,
  tunerReaction,
  tunerOverhead,
  metricsCost,
  importTime,
  firstInference,
  httpOverhead,
  httpBinary,
  httpVsDirect,
  tracingCost,
  gpuPinned,
  gpuOverlap,
  gpuHandoff,
  gpuSaturation,
  gpuDispatch,
]

/** What bench/main.ts has run in a fresh process. */
export function runTrial({
  name,
  ...options
}: TrialOptions & { name: string }): Promise<Comparison[]> {
  const trial = trials.find((candidate) => candidate.name === name)
  if (trial === undefined) throw new Error(`no trial is called "${name}"`)
  return trial.run(options)
}
