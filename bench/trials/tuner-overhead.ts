/** What a tuner costs each request: the small model with one that has nothing to do but to count, and without. */
import { definePipeline, Engine, onnx, Tuner } from '../../dist/index.js'
import { closedLoop } from '../load/closed-loop.ts'
import { smallModel as digits } from '../peers/onnxruntime.ts'
import { alternate, median } from './rounds.ts'
import type { Comparison, Trial, TrialOptions } from './trial.ts'
import { tunerPlan } from './tuner-plan.ts'

const inFlight = 256
const configuration = { digits: { replicas: 1, maxBatch: 256 } }

export const tunerOverhead: Trial = {
  name: 'tuner-overhead',
  measures: `digits-accurate, ${inFlight} in flight, while a tuner counts every arrival in 17 windows`,
  unit: 'requests/s',
  target: { figure: 'ratio', atLeast: 0.99 },
  ratio: 'ours/reference',
  run,
}

async function run({ quick }: TrialOptions): Promise<Comparison[]> {
  const pipeline = definePipeline({
    name: 'small-model',
    stages: { digits: onnx(digits.modelPath, { inputs: { image: 'request.image' } }) },
    outputs: { label: 'digits.label', confidence: 'digits.confidence' },
  })
  const engine = await Engine.start(pipeline, { configuration })
  const image = digits.inputs.image.data
  const measure = async () => {
    const send = () => engine.infer({ image })
    const durationMs = quick ? 300 : 600
    await closedLoop({ inFlight, durationMs: durationMs / 6, send })
    const { throughputPerS } = await closedLoop({ inFlight, durationMs, send })
    return throughputPerS
  }
  await measure()
  const plan = tunerPlan({
    stage: 'digits',
    maxBatch: 256,
    replicaRatePerS: 2e7,
    ratePerS: 1e7,
    firstWindowMs: 1,
  })
  let arrivals = 0
  const tuned = async () => {
    const tuner = new Tuner(engine, { plan }).start()
    const throughputPerS = await measure()
    await tuner.stop()
    const { scaleUps, ...seen } = tuner.stats()
    if (scaleUps > 0) throw new Error('the tuner should have had nothing to do')
    arrivals += seen.arrivals
    return throughputPerS
  }
  const figures = await alternate(
    { tuned, plain: measure },
    { rounds: quick ? 5 : 31, label: 'requests/s' },
  )
  await engine.close()
  const pairs = figures.tuned.map((figure, round) => figure / (figures.plain[round] ?? Number.NaN))
  return [
    {
      ours: median(figures.tuned),
      reference: median(figures.plain),
      referenceName: 'the same engine without a tuner',
      details: { arrivals, medianOfPairs: median(pairs), rounds: figures },
    },
  ]
}
