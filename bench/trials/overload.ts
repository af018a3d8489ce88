/**
 * What is left of a service that is asked for twice what it can do. Requests come whether or not earlier
 * ones were answered, and each is worth something only before its deadline.
 *
 *   capacity       requests a second of a closed loop, whose generator is the same thread, on the same
 *                  configuration: always a backlog, so all batches are full
 *   service time   the median run of those full batches
 *   deadline       5 service times after the request was made
 *   goodput        requests a second that were answered before their deadline, counted from when they were
 *                  meant to be sent
 *
 * Against it `overload: 'queue'`, which serves first come, first served and drops what is past its deadline:
 * once the queue is longer than the deadline allows, whatever is served is late.
 */
import { closedLoop } from '../load/closed-loop.ts'
import { runOpenLoop } from '../load/open-loop.ts'
import { buildLoadModel } from '../models/index.ts'
import { startLoadEngine } from './load-engine.ts'
import { alternate, median } from './rounds.ts'
import type { Comparison, Trial, TrialOptions } from './trial.ts'

/** One replica: the generator needs the other core. */
const replicas = 1
const maxBatch = 8
const sequence = 16
const timesCapacity = 2
const deadlineServiceTimes = 5
const batchesOfBacklog = 4

type Overload = 'shed' | 'queue'
type Run = {
  capacityPerS: number
  serviceMs: number
  deadlineMs: number
  goodputPerS: number
  p99Ms: number
  /** Of the requests that were not answered: until that was known, median. */
  rejectMs: number
  failed: Record<string, number>
  late: number
  meanBatch: number
  busyShare: number
  p50Ms: number
  shedRows: number
  /** Run in vain. */
  lateRows: number
}

export const overload: Trial = {
  name: 'overload',
  measures: `encoder (${sequence} tokens, batches of ${maxBatch}), Poisson arrivals at ${timesCapacity} times the capacity`,
  unit: 'requests/s',
  target: { figure: 'ratio', atLeast: 0.9 },
  ratio: 'ours/reference',
  run,
}

async function run({ quick }: TrialOptions): Promise<Comparison[]> {
  const modelPath = await buildLoadModel('encoder')
  const durationMs = quick ? 3000 : 10_000
  const runs: Record<Overload, Run[]> = { shed: [], queue: [] }
  const side = (name: Overload) => async () => {
    const seed = runs[name].length + 1
    const one = await overloaded({ modelPath, durationMs, seed, overload: name })
    runs[name].push(one)
    return one.goodputPerS
  }
  await alternate(
    { shed: side('shed'), queue: side('queue') },
    { rounds: quick ? 1 : 5, label: 'goodput, requests/s' },
  )
  return compare(runs)
}

function compare(runs: Record<Overload, Run[]>): Comparison[] {
  const of = (name: Overload, figure: (one: Run) => number) => median(runs[name].map(figure))
  const { shed } = runs
  const goodputPerS = of('shed', (one) => one.goodputPerS)
  return [
    {
      case: 'goodput',
      ours: goodputPerS,
      reference: of('shed', (one) => one.capacityPerS),
      referenceName: 'capacity: the same engine in a closed loop',
      details: { rounds: runs },
    },
    {
      case: 'p99 of the answered',
      unit: 'ms',
      ours: of('shed', (one) => one.p99Ms),
      reference: of('shed', (one) => one.deadlineMs),
      referenceName: `deadline: ${deadlineServiceTimes} service times of a full batch`,
      target: { figure: 'ratio', atMost: 1 },
    },
    {
      case: 'median time to reject',
      unit: 'ms',
      ours: median(shed.map((one) => one.rejectMs)),
      reference: null,
      referenceName: null,
      target: { figure: 'ours', atMost: 2 },
    },
    {
      case: 'goodput without shedding',
      ours: goodputPerS,
      reference: of('queue', (one) => one.goodputPerS),
      referenceName: "the same load with overload: 'queue'",
      target: { figure: 'ratio', atLeast: 5 },
    },
  ]
}

async function overloaded(options: {
  modelPath: string
  durationMs: number
  seed: number
  overload: Overload
}): Promise<Run> {
  const { modelPath, durationMs, seed } = options
  const stage = { replicas, maxBatch, sequence, overload: options.overload }
  const { engine, inputs } = await startLoadEngine({ model: 'encoder', modelPath, ...stage })
  const inFlight = replicas * maxBatch * batchesOfBacklog
  const backlog = { inFlight, send: () => engine.infer(inputs) }
  await closedLoop({ ...backlog, durationMs: durationMs / 10 })
  const { throughputPerS: capacityPerS } = await closedLoop({
    ...backlog,
    durationMs: durationMs / 2,
  })
  const calm = engine.stats().stages.model
  const deadlineMs = deadlineServiceTimes * calm.serviceMs.p50
  const rejectedMs: number[] = []
  const ratePerS = timesCapacity * capacityPerS
  const report = await runOpenLoop({
    ratePerS,
    durationMs,
    seed,
    arrivals: 'poisson',
    deadlineMs,
    send: (_, lateMs) =>
      timingRejections(engine.infer(inputs, { deadlineMs: deadlineMs - lateMs }), rejectedMs),
  })
  const after = engine.stats()
  const { batches, rows, busyMs } = after.stages.model
  await engine.close()
  return {
    capacityPerS,
    serviceMs: calm.serviceMs.p50,
    deadlineMs,
    goodputPerS: (report.inTime * 1000) / durationMs,
    p99Ms: report.latencyUs.getValueAtPercentile(99) / 1000,
    rejectMs: median(rejectedMs),
    failed: report.failed,
    late: report.late,
    meanBatch: (rows - calm.rows) / (batches - calm.batches),
    busyShare: (busyMs - calm.busyMs) / report.durationMs,
    p50Ms: report.latencyUs.getValueAtPercentile(50) / 1000,
    shedRows: after.stages.model.shedRows,
    lateRows: rows - calm.rows - report.completed,
  }
}

async function timingRejections(answer: Promise<unknown>, rejectedMs: number[]): Promise<void> {
  const startMs = performance.now()
  try {
    await answer
  } catch (error) {
    rejectedMs.push(performance.now() - startMs)
    throw error
  }
}
