/**
 * A small model, where what counts is everything around it: ours gathers requests of one row into
 * batches, the peers run them one by one.
 */
import { definePipeline, Engine, onnx } from '../../dist/index.js'
import { closedLoop } from '../load/closed-loop.ts'
import {
  awaitedLoop,
  concurrentRuns,
  smallModel as digits,
  tinypoolRuns,
} from '../peers/onnxruntime.ts'
import { alternate, median } from './rounds.ts'
import type { Comparison, Trial, TrialOptions } from './trial.ts'

const inFlight = 256
/** A second replica gained nothing on 2 cores: the thread of JavaScript is what is short. */
const configuration = { digits: { replicas: 1, maxBatch: 256 } }

const peerNames = {
  awaited: 'onnxruntime-node, session.run in a loop',
  concurrent: 'onnxruntime-node, 256 concurrent runs',
  tinypool: 'tinypool of 2 workers with an onnxruntime-node session each',
}

export const smallModel: Trial = {
  name: 'small-model',
  measures: `digits-accurate, all three outputs, ${inFlight} in flight`,
  unit: 'requests/s',
  target: { figure: 'ratio', atLeast: 5 },
  ratio: 'ours/reference',
  run,
}

async function run({ quick }: TrialOptions): Promise<Comparison[]> {
  const engine = await startDigitsEngine()
  const image = digits.inputs.image.data
  const durationMs = quick ? 300 : 1500
  const ours = async () => {
    await closedLoop({ inFlight, durationMs: durationMs / 10, send: () => engine.infer({ image }) })
    const report = await closedLoop({ inFlight, durationMs, send: () => engine.infer({ image }) })
    if (Object.keys(report.failed).length > 0) throw new Error(JSON.stringify(report.failed))
    return report.throughputPerS
  }
  const load = { ...digits, durationMs }
  const figures = await alternate(
    {
      ours,
      awaited: () => awaitedLoop(load),
      concurrent: () => concurrentRuns(load),
      tinypool: () => tinypoolRuns(load),
    },
    { rounds: quick ? 3 : 7, label: 'requests/s' },
  )
  const { batchRows, serviceMs } = engine.stats().stages.digits
  await engine.close()
  const peers = Object.keys(peerNames) as (keyof typeof peerNames)[]
  const best = peers.reduce((a, b) => (median(figures[a]) >= median(figures[b]) ? a : b))
  return [
    {
      ours: median(figures.ours),
      reference: median(figures[best]),
      referenceName: peerNames[best],
      details: {
        configuration: configuration.digits,
        meanBatch: batchRows.mean,
        meanServiceUs: serviceMs.mean * 1000,
        rounds: figures,
      },
    },
  ]
}

async function startDigitsEngine() {
  const pipeline = definePipeline({
    name: 'small-model',
    stages: { digits: onnx(digits.modelPath, { inputs: { image: 'request.image' } }) },
    outputs: {
      label: 'digits.label',
      confidence: 'digits.confidence',
      probabilities: 'digits.probabilities',
    },
  })
  return Engine.start(pipeline, { configuration })
}
