/**
 * Whether replicas that always have work lose any of the processor to us: large models, where the engine
 * is to be nothing but two threads that run them.
 */
import { findOnnxRuntime, onnxRuntimeVersion } from '../../src/native/onnx-runtime.ts'
import { closedLoop } from '../load/closed-loop.ts'
import { buildLoadModel } from '../models/index.ts'
import { type SampleInput, sampleInputs } from '../models/sample-inputs.ts'
import { loadBenchAddon } from './bench-addon.ts'
import { startLoadEngine } from './load-engine.ts'
import { alternate, median } from './rounds.ts'
import { steadyRatePerS } from './steady-rate.ts'
import type { Comparison, Trial, TrialOptions } from './trial.ts'

type Load = {
  model: 'resnet18' | 'encoder'
  modelPath: string
  batch: number
  durationMs: number
}

const replicas = 2
const batches = [1, 4]
const batchesOfBacklog = 4

export const saturation: Trial = {
  name: 'saturation',
  measures: `resnet18 and encoder (64 tokens), ${replicas} replicas of 1 thread, always a backlog`,
  unit: 'rows/s',
  target: { figure: 'ratio', atLeast: 0.97 },
  ratio: 'ours/reference',
  run,
}

async function run({ quick }: TrialOptions): Promise<Comparison[]> {
  const comparisons: Comparison[] = []
  const durationMs = quick ? 1500 : 5000
  for (const model of ['resnet18', 'encoder'] as const) {
    const modelPath = await buildLoadModel(model)
    for (const batch of batches) {
      const load = { model, modelPath, batch, durationMs }
      comparisons.push(await compare(load, quick ? 3 : 7))
    }
  }
  return comparisons
}

async function compare(load: Load, rounds: number): Promise<Comparison> {
  const name = `${load.model}, batch ${load.batch}`
  const figures = await alternate(
    { ours: () => engineRowsPerS(load), bare: () => bareRowsPerS(load) },
    { rounds, label: `${name}, rows/s` },
  )
  return {
    case: name,
    ours: median(figures.ours),
    reference: median(figures.bare),
    referenceName: `${replicas} bare native threads calling ONNX Runtime`,
    details: { rounds: figures },
  }
}

/** Loads the model anew, as the bare side does. */
async function engineRowsPerS(load: Load): Promise<number> {
  const { model, modelPath, batch } = load
  const { engine, inputs } = await startLoadEngine({ model, modelPath, replicas, maxBatch: batch })
  const endedMs: number[] = []
  const send = async () => {
    await engine.infer(inputs)
    endedMs.push(performance.now())
  }
  const inFlight = replicas * batch * batchesOfBacklog
  await closedLoop({ inFlight, requests: replicas * batch * 2, send })
  endedMs.length = 0
  const startMs = performance.now()
  const report = await closedLoop({ inFlight, durationMs: load.durationMs, send })
  const { batchRows } = engine.stats().stages.model
  await engine.close()
  if (Object.keys(report.failed).length > 0) throw new Error(JSON.stringify(report.failed))
  if (batchRows.mean < 0.8 * batch) throw new Error(`batches had ${batchRows.mean} rows`)
  // The first batches may have been partly filled; after the end the backlog runs dry.
  const fromMs = startMs + load.durationMs / 10
  const untilMs = startMs + load.durationMs
  return steadyRatePerS(endedMs.filter((ms) => ms > fromMs && ms < untilMs))
}

async function bareRowsPerS({ model, modelPath, batch, durationMs }: Load): Promise<number> {
  const inputs: SampleInput[] = Object.values(sampleInputs(model, { batch }))
  const endedMs = await loadBenchAddon().bareRuns({
    libraryPath: findOnnxRuntime(),
    libraryVersion: onnxRuntimeVersion,
    modelPath,
    threads: replicas,
    durationMs,
    inputs,
  })
  return steadyRatePerS(endedMs) * batch
}
