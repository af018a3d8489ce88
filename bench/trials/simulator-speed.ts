/**
 * How many stage visits a second the simulator works through, on one core: a chain of three stages and a million Poisson
 * arrivals, from the call to the whole estimate (percentiles, queue times and utilisation included).
 *
 * Its speed hangs on how many rows share a batch, since what costs time is the events: `small batches` has replicas to
 * spare, so that most batches are of one row; `fuller batches` has as few as the load allows.
 */
import { Estimator, Trace } from '../../dist/index.js'
import { median, rounded } from './rounds.ts'
import type { Comparison, Trial, TrialOptions } from './trial.ts'

const stages = ['first', 'second', 'third'] as const
const arrivals = 1_000_000
const ratePerS = 300

/** Milliseconds by batch, as of a model that gains from batching. */
const points = [1, 2, 4, 8, 16, 32].map((batch) => {
  const meanMs = 8 + 2 * batch
  return { batch, meanMs, p99Ms: meanMs }
})

export const simulatorSpeed: Trial = {
  name: 'simulator-speed',
  measures: `stage visits a second on one core, ${stages.length} stages in a chain, ${arrivals.toLocaleString('en-US')} arrivals`,
  unit: 'visits/s',
  target: { figure: 'ours', atLeast: 10e6 },
  ratio: 'ours/reference',
  run,
}

async function run({ quick }: TrialOptions): Promise<Comparison[]> {
  const trace = Trace.gamma({ ratePerS, cv2: 1, durationMs: (arrivals / ratePerS) * 1000, seed: 1 })
  const cases = { 'fuller batches': 2, 'small batches': 8 }
  const rounds = quick ? 2 : 9
  const comparisons: Comparison[] = []
  for (const [name, replicas] of Object.entries(cases)) {
    const visitsPerS: number[] = []
    let meanBatch = 0
    for (let round = 0; round < rounds; round++) {
      const one = await simulate(trace, replicas)
      visitsPerS.push(one.visitsPerS)
      meanBatch = one.meanBatch
    }
    console.error(`  ${name}: ${visitsPerS.map((figure) => rounded(figure / 1e6)).join(', ')} M/s`)
    comparisons.push({
      case: name,
      ours: median(visitsPerS),
      reference: null,
      referenceName: `${trace.arrivalsMs.length} arrivals, mean batch ${rounded(meanBatch)}`,
      details: { visitsPerS, meanBatch, replicas },
    })
  }
  return comparisons
}

async function simulate(trace: Trace, replicas: number) {
  const tiers = { 'cpu-1': { points } }
  const estimator = new Estimator({
    profile: {
      version: 1,
      pipeline: 'chain',
      stages: Object.fromEntries(stages.map((stage) => [stage, { scaleFactor: 1, tiers }])),
      edges: [
        ['first', 'second'],
        ['second', 'third'],
      ],
    },
    hardware: { version: 1, tiers: { 'cpu-1': { kind: 'cpu', pricePerHour: 1 } } },
  })
  const stage = { tier: 'cpu-1', maxBatch: 32, replicas }
  const configuration = Object.fromEntries(stages.map((name) => [name, stage]))
  const startMs = performance.now()
  const estimate = await estimator.estimate(configuration, {
    trace,
    objective: { latencyMs: 100, percentile: 99 },
  })
  const seconds = (performance.now() - startMs) / 1000
  const visits = stages.reduce((sum, name) => sum + (estimate.stages[name]?.visits ?? 0), 0)
  return { visitsPerS: visits / seconds, meanBatch: estimate.stages['second']?.meanBatch ?? 0 }
}
