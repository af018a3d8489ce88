/**
 * What one would use instead: onnxruntime-node as it is, and in worker threads, each at the best
 * settings found for it. All take a model and its inputs and measure themselves.
 *
 * Tried with digits-accurate on 2 cores that builds shared, in two passes of 12 interleaved rounds of
 * 0.2 s. The figure is the least CPU time a request of each pass, all threads together, since other
 * processes disturb it less than the rate; passes differ by 2 us for `run` and by 10 for tinypool.
 * - Session: defaults 23.4 and 22.5 us, `intraOpNumThreads: 1` 22.5 and 23.1; with that, no memory
 *   pattern 23.2 and 22.8, no arena 24.0 and 24.2, neither 22.9 and 24.3, `graphOptimizationLevel:
 *   'all'` 23.6 and 23.9, no spinning 23.3 and 23.9. No option helps; kept: one thread.
 * - Request: a new Tensor each time 22.3 and 24.7; one for all is kept. 256 outstanding 21.9 and 21.6.
 *   Best rate 39,000/s in both ways (53,000/s on a quiet machine): `run` is a synchronous call.
 * - tinypool, 2 workers, 256 outstanding, input buffer transferred: 1 task a worker at once 90.5 and
 *   96.3, 8 61.7 and 61.0, 64 54.7 and 53.3, 256 58.2 and 60.2. At 64: copied 58.1 and 53.0, without
 *   `useAtomics` 63.2 and 64.7, sessions of default threads 50.3 and 64.2. Kept: 64, transferred,
 *   atomics (its default), one thread. Best rate 27,000/s.
 */
import { fileURLToPath } from 'node:url'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { Tinypool } from 'tinypool'
import { type ClosedLoopOptions, closedLoop } from '../load/closed-loop.ts'
import {
  type EventLoopDelay,
  probeEventLoopDelay,
  watchEventLoopDelay,
} from '../load/event-loop-delay.ts'
import type { SampleInput } from '../models/sample-inputs.ts'

export type PeerOptions = {
  modelPath: string
  inputs: Record<string, SampleInput>
  /** How long each measurement takes; a tenth of it more goes to warming up first. */
  durationMs: number
}

export type EventLoopDelayReport = {
  requestsPerS: number
  /** The figure to report; see event-loop-delay.ts for how the two differ. */
  watched: EventLoopDelay
  probed: EventLoopDelay
}

const sessionOptions: InferenceSession.SessionOptions = { intraOpNumThreads: 1 }
const inFlightRuns = 256
const poolWorkers = 2
const tasksPerWorker = 64

/** The trial `small-model`: one handwritten digit a request, all three outputs. */
export const smallModel = {
  modelPath: fileURLToPath(
    new URL('../../examples/01-digits-cascade/models/digits-accurate.onnx', import.meta.url),
  ),
  inputs: {
    image: {
      type: 'float32',
      dims: [1, 1, 8, 8],
      data: Float32Array.from({ length: 64 }, (_, pixel) => (pixel * 7) % 17),
    },
  },
} satisfies Omit<PeerOptions, 'durationMs'>

/** `await session.run()` one after the other. */
export function awaitedLoop(options: PeerOptions): Promise<number> {
  return runsPerS(options, { inFlight: 1 })
}

/** 256 calls of `session.run()` outstanding at all times. */
export function concurrentRuns(options: PeerOptions): Promise<number> {
  return runsPerS(options, { inFlight: inFlightRuns })
}

/** Two worker threads with a session each; takes a model of one float32 input. */
export async function tinypoolRuns(options: PeerOptions): Promise<number> {
  const [name, input] = Object.entries(options.inputs)[0] ?? []
  if (name === undefined || input?.type !== 'float32') {
    throw new TypeError('the worker of this peer takes models of one float32 input')
  }
  const pool = new Tinypool({
    filename: new URL('./onnxruntime-worker.js', import.meta.url).href,
    name: 'run',
    minThreads: poolWorkers,
    maxThreads: poolWorkers,
    concurrentTasksPerWorker: tasksPerWorker,
    workerData: { modelPath: options.modelPath, sessionOptions, name, dims: input.dims },
  })
  const send = () => {
    const data = input.data.slice()
    return pool.run(data, { transferList: [data.buffer] })
  }
  try {
    return await throughput(options, { inFlight: inFlightRuns, send })
  } finally {
    await pool.destroy()
  }
}

/** The trial `event-loop-delay`: how long timers wait while an awaited loop runs the model. */
export async function eventLoopDelay(options: PeerOptions): Promise<EventLoopDelayReport> {
  const session = await InferenceSession.create(options.modelPath, sessionOptions)
  const feeds = feedsOf(options.inputs)
  await session.run(feeds)
  const watch = watchEventLoopDelay()
  const probe = probeEventLoopDelay()
  const send = () => session.run(feeds)
  const report = await closedLoop({ inFlight: 1, durationMs: options.durationMs, send })
  const [watched, probed] = await Promise.all([watch.stop(), probe.stop()])
  await session.release()
  return { requestsPerS: report.throughputPerS, watched, probed }
}

async function runsPerS(options: PeerOptions, { inFlight }: { inFlight: number }): Promise<number> {
  const session = await InferenceSession.create(options.modelPath, sessionOptions)
  const feeds = feedsOf(options.inputs)
  try {
    return await throughput(options, { inFlight, send: () => session.run(feeds) })
  } finally {
    await session.release()
  }
}

async function throughput(
  { durationMs }: PeerOptions,
  load: Pick<ClosedLoopOptions, 'inFlight' | 'send'>,
): Promise<number> {
  await closedLoop({ ...load, durationMs: durationMs / 10 })
  const report = await closedLoop({ ...load, durationMs })
  const failures = Object.entries(report.failed)
  if (failures.length > 0) throw new Error(`runs failed: ${JSON.stringify(report.failed)}`)
  return report.throughputPerS
}

function feedsOf(inputs: Record<string, SampleInput>): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {}
  for (const [name, input] of Object.entries(inputs)) {
    feeds[name] =
      input.type === 'float32'
        ? new Tensor('float32', input.data, input.dims)
        : new Tensor('int64', input.data, input.dims)
  }
  return feeds
}
