import type { PlannedConfiguration } from '../estimator/estimate.ts'
import type { SimulatedRun } from '../estimator/simulated-run.ts'
import { Simulator } from '../estimator/simulator.ts'
import { SimulatedEngine } from '../tuner/simulated-engine.ts'
import type { Trace } from '../workload/trace.ts'
import type { Basis } from './paper-pipelines.ts'
import { ReplicaTimes } from './replica-times.ts'
import { SampledLatencies, type WindowLatency } from './sampled-latencies.ts'

/** What changes replicas while a trace is served: a tuner, or a baseline. */
export type Control = (given: Controlled) => void

export interface Controlled {
  /** Has stats(), scale(), watchArrivals(), and in `time` a clock and a timer. */
  readonly engine: SimulatedEngine
  /** What can be observed of the stages. */
  readonly run: SimulatedRun
  /** Replicas that served, added up over time. */
  readonly times: ReplicaTimes
}

export interface LiveRunOptions {
  readonly basis: Basis
  /** What is served with at first. */
  readonly configuration: PlannedConfiguration
  readonly trace: Trace
  readonly latencyMs: number
  readonly control: Control
  /** Milliseconds until an added replica serves. It is paid for meanwhile. */
  readonly activationMs: number
  /** Of the paths that requests take. */
  readonly seed: number
  /** Milliseconds between two points of the series. Default: there is no series, which takes most of the time. */
  readonly sampleEveryMs?: number | undefined
}

export interface LiveOutcome {
  readonly requests: number
  /** Later than the objective. */
  readonly late: number
  readonly attainment: number
  readonly p99Ms: number
  /** What all replicas cost from the first arrival to the end of the trace, not per hour. */
  readonly cost: number
  /** How often replicas of a stage were added or removed. */
  readonly changes: number
  readonly series: readonly LiveSample[]
}

/** A window of the trace that ended then. */
export interface LiveSample extends WindowLatency {
  readonly atMs: number
  readonly ratePerS: number
  /** Of all stages, at the end of the window. */
  readonly replicas: number
  /** In the window. */
  readonly costPerHour: number
}

/** Serves a trace on a simulated engine, whose replicas are changed by `control`. The same options give the same outcome. */
export function liveRun(options: LiveRunOptions): LiveOutcome {
  const { basis, configuration, trace, latencyMs, control, activationMs, seed } = options
  const { arrivalsMs, durationMs } = trace
  const run = new Simulator({ ...basis, trace, seed }).simulate(configuration)
  const engine = new SimulatedEngine({ run, arrivalsMs, configuration, activationMs })
  const times = new ReplicaTimes({ engine, configuration, hardware: basis.hardware })
  const series = seriesOf({ ...options, engine, run, times })
  control({ engine, run, times })
  engine.play({ untilMs: durationMs })
  series.end(durationMs)
  const changes = engine.steps.length - Object.keys(configuration).length
  const cost = times.paidSince(0, durationMs)
  run.advance(Number.POSITIVE_INFINITY)
  const { arrived, late, p99Ms } = run.stats({ latencyMs })
  const attainment = (arrived - late) / arrived
  return { requests: arrived, late, attainment, p99Ms, cost, changes, series: series.samples }
}

interface Series {
  readonly samples: readonly LiveSample[]
  /** The last window, which may be shorter. */
  end(atMs: number): void
}

function seriesOf(given: Controlled & Pick<LiveRunOptions, 'latencyMs' | 'sampleEveryMs'>): Series {
  const { engine, run, times, latencyMs, sampleEveryMs } = given
  const samples: LiveSample[] = []
  if (sampleEveryMs === undefined) return { samples, end: () => {} }
  const latencies = new SampledLatencies({ run, latencyMs })
  let arrivals = 0
  engine.watchArrivals(() => {
    arrivals += 1
  })
  const sample = (atMs: number): void => {
    const sinceMs = samples.at(-1)?.atMs ?? 0
    const windowMs = atMs - sinceMs
    if (windowMs <= 0) return
    const ratePerS = (1000 * arrivals) / windowMs
    const costPerHour = (times.paidSince(sinceMs, atMs) * msPerHour) / windowMs
    samples.push({ atMs, ratePerS, replicas: times.replicas, costPerHour, ...latencies.next() })
    arrivals = 0
  }
  engine.time.every(sampleEveryMs, () => sample(engine.time.now()))
  return { samples, end: sample }
}

const msPerHour = 3_600_000
