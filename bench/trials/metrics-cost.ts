/** What metrics cost requests: the no-op engine while it is shown in a registry that is read every second, and without. */
import { definePipeline, Engine, observeMetrics, onnx } from '../../dist/index.js'
import { closedLoop } from '../load/closed-loop.ts'
import { buildLoadModel } from '../models/index.ts'
import { row } from './identity-engine.ts'
import { alternate, median } from './rounds.ts'
import type { Comparison, Trial, TrialOptions } from './trial.ts'

const inFlight = 1024
const maxBatch = 256
const scrapeMs = 1_000

export const metricsCost: Trial = {
  name: 'metrics-cost',
  measures: `infer of 32 floats through an identity stage, ${inFlight} in flight, metrics read every second`,
  unit: 'requests/s',
  target: { figure: 'ratio', atLeast: 0.98 },
  ratio: 'ours/reference',
  run,
}

async function run({ quick }: TrialOptions): Promise<Comparison[]> {
  const engine = await startEngine()
  const durationMs = quick ? 1_200 : 3_000
  const measure = async () => {
    const send = () => engine.infer({ x: row })
    await closedLoop({ inFlight, durationMs: durationMs / 10, send })
    const report = await closedLoop({ inFlight, durationMs, send })
    if (Object.keys(report.failed).length > 0) throw new Error(JSON.stringify(report.failed))
    return report.throughputPerS
  }
  let scrapes = 0
  let bytes = 0
  const watched = async () => {
    const { registry, stop } = observeMetrics(engine)
    const timer = setInterval(async () => {
      bytes = (await registry.metrics()).length
      scrapes++
    }, scrapeMs)
    const throughputPerS = await measure()
    clearInterval(timer)
    stop()
    return throughputPerS
  }
  await alternate({ watched, plain: measure }, { rounds: 1, label: 'warming up' })
  const figures = await alternate(
    { watched, plain: measure },
    { rounds: quick ? 3 : 15, label: 'requests/s' },
  )
  await engine.close()
  if (scrapes === 0) throw new Error('metrics were never read')
  const pairs = figures.watched.map(
    (figure, round) => figure / (figures.plain[round] ?? Number.NaN),
  )
  return [
    {
      ours: median(figures.watched),
      reference: median(figures.plain),
      referenceName: 'the same engine without metrics',
      details: { scrapes, bytes, medianOfPairs: median(pairs), rounds: figures },
    },
  ]
}

/** With an objective, so that every metric is there. */
async function startEngine() {
  const identity = definePipeline({
    name: 'identity',
    objective: { latencyMs: 50 },
    stages: { identity: onnx(await buildLoadModel('identity'), { inputs: { x: 'request.x' } }) },
    outputs: { y: 'identity.y' },
  })
  return Engine.start(identity, { configuration: { identity: { replicas: 1, maxBatch } } })
}
