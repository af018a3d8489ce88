/**
 * What the engine adds to answering a request at all: queue, batching policy, a native thread, ONNX
 * Runtime called on batches, statistics.
 */
import { closedLoop } from '../load/closed-loop.ts'
import { Floor } from './floor.ts'
import { row, startIdentityEngine } from './identity-engine.ts'
import { alternate, median } from './rounds.ts'
import type { Comparison, Trial, TrialOptions } from './trial.ts'

const inFlight = 1024
const maxBatch = 256

export const noopThroughput: Trial = {
  name: 'noop-throughput',
  measures: `infer of 32 floats through an identity stage, ${inFlight} in flight, one JavaScript thread`,
  unit: 'requests/s',
  target: { figure: 'ratio', atLeast: 0.7 },
  ratio: 'ours/reference',
  run,
}

async function run({ quick }: TrialOptions): Promise<Comparison[]> {
  const engine = await startIdentityEngine({ maxBatch })
  const floor = new Floor()
  const durationMs = quick ? 300 : 1500
  const sides = {
    ours: () => perS(() => engine.infer({ x: row }), durationMs),
    floor: () => perS(() => floor.infer(row), durationMs),
  }
  await alternate(sides, { rounds: 1, label: 'warming up' })
  const figures = await alternate(sides, { rounds: quick ? 3 : 7, label: 'requests/s' })
  const { batchRows } = engine.stats().stages.identity
  await engine.close()
  floor.close()
  return [
    {
      ours: median(figures.ours),
      reference: median(figures.floor),
      referenceName: 'bare floor: promise, copy and coalesced wake through the addon',
      details: { maxBatch, meanBatch: batchRows.mean, rounds: figures },
    },
  ]
}

async function perS(send: () => Promise<unknown>, durationMs: number): Promise<number> {
  const report = await closedLoop({ inFlight, durationMs, send })
  if (Object.keys(report.failed).length > 0) throw new Error(JSON.stringify(report.failed))
  return report.throughputPerS
}
