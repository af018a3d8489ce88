/** Whether a model can be replaced under load without anybody noticing: by an answer missing, or late. */
import { closedLoop } from '../load/closed-loop.ts'
import { runOpenLoop } from '../load/open-loop.ts'
import { buildLoadModel } from '../models/index.ts'
import { startLoadEngine } from './load-engine.ts'
import { alternate, median } from './rounds.ts'
import type { Comparison, Trial, TrialOptions } from './trial.ts'

const loadShare = 0.4

export const hotSwap: Trial = {
  name: 'hot-swap',
  measures: `p99 of resnet18 at ${loadShare * 100} % of capacity while its model is swapped all the time, 1 replica`,
  unit: 'ms',
  target: { figure: 'ratio', atMost: 2 },
  ratio: 'ours/reference',
  run,
}

async function run({ quick }: TrialOptions): Promise<Comparison[]> {
  const modelPath = await buildLoadModel('resnet18')
  const stage = { replicas: 1, maxBatch: 4 }
  const { engine, inputs } = await startLoadEngine({ model: 'resnet18', modelPath, ...stage })
  const send = () => engine.infer(inputs)
  const capacity = await closedLoop({ inFlight: 1, requests: quick ? 20 : 100, send })
  const ratePerS = loadShare * capacity.throughputPerS
  let [seed, swaps] = [0, 0]
  const p99Ms = async () => {
    const durationMs = quick ? 4_000 : 10_000
    const report = await runOpenLoop({ ratePerS, durationMs, seed, arrivals: 'poisson', send })
    if (Object.keys(report.failed).length > 0) throw new Error(JSON.stringify(report.failed))
    seed++
    return report.latencyUs.getValueAtPercentile(99) / 1000
  }
  const whileSwapping = async () => {
    let swapping = true
    const swapper = (async () => {
      for (; swapping; swaps++) await engine.swap('model', modelPath)
    })()
    const figure = await p99Ms()
    swapping = false
    await swapper
    return figure
  }
  const figures = await alternate(
    { during: whileSwapping, before: p99Ms },
    { rounds: quick ? 2 : 7, label: 'p99 ms' },
  )
  await engine.close()
  return [
    {
      ours: median(figures.during),
      reference: median(figures.before),
      referenceName: 'the same load without a swap',
      details: { ratePerS, swaps, failed: 0, rounds: figures },
    },
  ]
}
