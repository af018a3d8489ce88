/** What a model that takes tens of milliseconds does to everything else in the process. */
import { closedLoop } from '../load/closed-loop.ts'
import { probeEventLoopDelay, watchEventLoopDelay } from '../load/event-loop-delay.ts'
import { buildLoadModel } from '../models/index.ts'
import { sampleInputs } from '../models/sample-inputs.ts'
import { type EventLoopDelayReport, eventLoopDelay } from '../peers/onnxruntime.ts'
import { callInFreshProcess } from './fresh-process.ts'
import { startLoadEngine } from './load-engine.ts'
import { alternate, median } from './rounds.ts'
import type { Comparison, Trial, TrialOptions } from './trial.ts'

type Load = { modelPath: string; durationMs: number }

const backlog = 4

export const eventLoopDelayTrial: Trial = {
  name: 'event-loop-delay',
  measures: 'p99 delay of the event loop while resnet50 saturates one replica',
  unit: 'ms',
  target: { figure: 'ours', atMost: 3 },
  ratio: 'reference/ours',
  run,
}

async function run({ quick }: TrialOptions): Promise<Comparison[]> {
  const load = { modelPath: await buildLoadModel('resnet50'), durationMs: quick ? 2000 : 5000 }
  const reports: Record<'ours' | 'peer', EventLoopDelayReport[]> = { ours: [], peer: [] }
  const side = (name: 'ours' | 'peer') => async () => {
    const call = { module: import.meta.url, export: `${name}Delay`, argument: load }
    const report = (await callInFreshProcess(call)) as EventLoopDelayReport
    reports[name].push(report)
    return report.watched.p99Ms
  }
  const figures = await alternate(
    { ours: side('ours'), peer: side('peer') },
    { rounds: quick ? 1 : 5, label: 'p99 ms' },
  )
  return [
    {
      ours: median(figures.ours),
      reference: median(figures.peer),
      referenceName: 'onnxruntime-node, session.run in a loop',
      details: { ours: summary(reports.ours), peer: summary(reports.peer), rounds: figures },
    },
  ]
}

/** The probe counts a stall for everything that it would have kept waiting; see event-loop-delay.ts of bench/load. */
function summary(reports: readonly EventLoopDelayReport[]) {
  return {
    requestsPerS: median(reports.map((report) => report.requestsPerS)),
    maxMs: Math.max(...reports.map((report) => report.watched.maxMs)),
    probedP99Ms: median(reports.map((report) => report.probed.p99Ms)),
  }
}

export function peerDelay({ modelPath, durationMs }: Load): Promise<EventLoopDelayReport> {
  return eventLoopDelay({ modelPath, inputs: sampleInputs('resnet50'), durationMs })
}

export async function oursDelay({ modelPath, durationMs }: Load): Promise<EventLoopDelayReport> {
  const stage = { replicas: 1, maxBatch: 1 }
  const { engine, inputs } = await startLoadEngine({ model: 'resnet50', modelPath, ...stage })
  await engine.infer(inputs)
  const watch = watchEventLoopDelay()
  const probe = probeEventLoopDelay()
  const send = () => engine.infer(inputs)
  const report = await closedLoop({ inFlight: backlog, durationMs, send })
  const [watched, probed] = await Promise.all([watch.stop(), probe.stop()])
  await engine.close()
  if (Object.keys(report.failed).length > 0) throw new Error(JSON.stringify(report.failed))
  return { requestsPerS: report.throughputPerS, watched, probed }
}
