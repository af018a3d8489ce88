/** What a further replica costs in memory: one copy of the weights serves all of them. */
import { closedLoop } from '../load/closed-loop.ts'
import { buildLoadModel } from '../models/index.ts'
import { callInFreshProcess } from './fresh-process.ts'
import { startLoadEngine } from './load-engine.ts'
import { alternate, median } from './rounds.ts'
import type { Comparison, Trial, TrialOptions } from './trial.ts'

type Load = { modelPath: string; replicas: number; durationMs: number }

const sampleEveryMs = 20
const requestsBeforehand = 16
const bytesPerMb = 1e6

export const sharedWeights: Trial = {
  name: 'shared-weights',
  measures:
    'resident memory of a process with 4 replicas of resnet50 at work, over one with 1 replica',
  unit: 'MB',
  target: { figure: 'ratio', atMost: 1.25 },
  ratio: 'ours/reference',
  run,
}

async function run({ quick }: TrialOptions): Promise<Comparison[]> {
  const modelPath = await buildLoadModel('resnet50')
  const durationMs = quick ? 1000 : 4000
  const side = (replicas: number) => async () => {
    const argument: Load = { modelPath, replicas, durationMs }
    const call = { module: import.meta.url, export: 'residentMb', argument }
    return (await callInFreshProcess(call)) as number
  }
  const figures = await alternate(
    { ours: side(4), oneReplica: side(1) },
    { rounds: quick ? 1 : 3, label: 'MB' },
  )
  return [
    {
      ours: median(figures.ours),
      reference: median(figures.oneReplica),
      referenceName: 'the same with 1 replica',
      details: { rounds: figures },
    },
  ]
}

/** The most seen while every replica is at work, the values of runs in progress included. */
export async function residentMb({ modelPath, replicas, durationMs }: Load): Promise<number> {
  const stage = { replicas, maxBatch: 1 }
  const { engine, inputs } = await startLoadEngine({ model: 'resnet50', modelPath, ...stage })
  const load = { inFlight: 2 * replicas, send: () => engine.infer(inputs) }
  await closedLoop({ ...load, requests: requestsBeforehand })
  let mostBytes = 0
  const sampler = setInterval(() => {
    mostBytes = Math.max(mostBytes, process.memoryUsage.rss())
  }, sampleEveryMs)
  await closedLoop({ ...load, durationMs })
  clearInterval(sampler)
  await engine.close()
  return mostBytes / bytesPerMb
}
