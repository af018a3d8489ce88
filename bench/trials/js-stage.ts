/**
 * What a stage of JavaScript in worker threads costs: one batch at a time, from `infer` to its answer,
 * and many rows at once beside tinypool's own `run`, a task a row.
 *
 * tinypool is set up as its best rate was found for the small-model trial: 2 workers, 64 tasks a worker
 * at once, atomics; here the input is 256 bytes, which is cheaper to copy than to transfer.
 */
import { fileURLToPath } from 'node:url'
import { Tinypool } from 'tinypool'
import { definePipeline, Engine, js } from '../../dist/index.js'
import { closedLoop } from '../load/closed-loop.ts'
import { alternate, median } from './rounds.ts'
import type { Comparison, Trial, TrialOptions } from './trial.ts'

const functionUrl = new URL('./js-stage-function.js', import.meta.url)
const row = Float32Array.from({ length: 64 }, (_, at) => at / 64)
const sum = row.reduce((total, value) => total + value, 0)
const maxBatch = 32
const workers = 2
const tasksPerWorker = 64
const inFlight = 256

export const jsStage: Trial = {
  name: 'js-stage',
  measures: `a js stage that sums 64 floats: p50 alone; rows/s in batches of ${maxBatch}, ${inFlight} in flight`,
  unit: 'us, rows/s',
  target: { figure: 'ratio', atLeast: 5 },
  ratio: 'ours/reference',
  run,
}

async function run(options: TrialOptions): Promise<Comparison[]> {
  return [await latency(options), await throughput(options)]
}

/** The whole of `infer`: an upper bound of what the stage adds. */
async function latency({ quick }: TrialOptions): Promise<Comparison> {
  const engine = await startEngine(1)
  const requests = quick ? 2_000 : 20_000
  const tails: number[] = []
  const ours = async () => {
    const takenUs = new Float64Array(requests)
    for (let request = 0; request < requests; request++) {
      const startMs = performance.now()
      await engine.infer({ x: row })
      takenUs[request] = (performance.now() - startMs) * 1000
    }
    takenUs.sort()
    tails.push(takenUs[Math.floor(requests * 0.99)] ?? Number.NaN)
    return takenUs[Math.floor(requests / 2)] ?? Number.NaN
  }
  await ours()
  tails.length = 0
  const figures = await alternate({ ours }, { rounds: quick ? 3 : 7, label: 'js-stage, p50 us' })
  await engine.close()
  return {
    case: 'added latency of a batch, p50 us',
    ours: median(figures.ours),
    reference: null,
    referenceName: null,
    target: { figure: 'ours', atMost: 150 },
    details: { p99Us: median(tails), rounds: figures },
  }
}

async function throughput({ quick }: TrialOptions): Promise<Comparison> {
  const engine = await startEngine(workers)
  const pool = new Tinypool({
    filename: fileURLToPath(functionUrl),
    minThreads: workers,
    maxThreads: workers,
    concurrentTasksPerWorker: tasksPerWorker,
  })
  const durationMs = quick ? 400 : 2000
  const rate = async (send: () => Promise<unknown>) => {
    await closedLoop({ inFlight, durationMs: durationMs / 10, send })
    const report = await closedLoop({ inFlight, durationMs, send })
    if (Object.keys(report.failed).length > 0) throw new Error(JSON.stringify(report.failed))
    return report.throughputPerS
  }
  const figures = await alternate(
    {
      ours: () => rate(async () => check((await engine.infer({ x: row })).sum.data[0])),
      tinypool: () => rate(async () => check(await pool.run(row, { name: 'sumOfOne' }))),
    },
    { rounds: quick ? 3 : 7, label: 'js-stage, rows/s' },
  )
  const { batchRows } = engine.stats().stages.sum
  await engine.close()
  await pool.destroy()
  return {
    case: `rows/s, batches of ${maxBatch}`,
    ours: median(figures.ours),
    reference: median(figures.tinypool),
    referenceName: `tinypool's run for each row, ${workers} workers`,
    details: { meanBatch: batchRows.mean, rounds: figures },
  }
}

function startEngine(replicas: number) {
  const pipeline = definePipeline({
    name: 'js-stage',
    stages: {
      sum: js(functionUrl, {
        export: 'sums',
        batched: true,
        inputs: { x: { from: 'request.x', type: 'float32', dims: [64] } },
        outputs: { sum: { type: 'float32', dims: [] } },
      }),
    },
    outputs: { sum: 'sum.sum' },
  })
  return Engine.start(pipeline, { configuration: { sum: { replicas, maxBatch } } })
}

function check(found: unknown): void {
  if (Math.abs(Number(found) - sum) > 1e-3) throw new Error(`expected ${sum}, got ${found}`)
}
