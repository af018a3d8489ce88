// What the live view needs of an engine, a tuner, a plan and prices. `Engine`, `Tuner`, `Plan` and `Hardware` are such;
// this folder may not name the last three.
import type { EngineEvents } from '../engine/events.ts'
import type { EngineHistograms, HistogramBounds } from '../engine/histograms.ts'
import type { EngineStats } from '../engine/stats.ts'
import type { CompleteConfiguration } from '../pipeline/configuration.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import type { LiveObjective } from './live-snapshot.ts'

/** An engine, as it is watched. */
export interface LiveEngineSource extends Subscribable<keyof EngineEvents> {
  /** What it serves. */
  readonly pipeline: Pipeline
  /** How it serves it now. */
  readonly configuration: CompleteConfiguration
  /** Counters and distributions since the start. */
  stats(): EngineStats
  /** The same distributions, counted up to bounds. */
  histograms(bounds: HistogramBounds): EngineHistograms
  /** Other than 'serving' where it is closed or drained. */
  readonly state: string
}

/** A tuner, as it is watched. */
export interface LiveTunerSource extends Subscribable<'scale' | 'replan' | 'clock' | 'error'> {
  /** What it does and sees. */
  stats(): {
    /** Whether it was started and not stopped. */
    readonly running: boolean
    /** How much traffic there is, as a factor: 1 is as much as was planned for. */
    readonly level: number
    /** How many times replicas were added. */
    readonly scaleUps: number
    /** How many times replicas were removed. */
    readonly scaleDowns: number
    /** How many times another plan took the place of the one before. */
    readonly replans: number
  }
}

/** Whose listeners are told; what each is told depends on the name. */
export interface Subscribable<Name extends string> {
  /**
   * Has a listener called with each event of that name.
   *
   * @param listener Given what happened; must not throw.
   */
  on(name: Name, listener: (event: unknown) => void): unknown
  /**
   * Ends what `on` began with the same listener.
   *
   * @param listener As it was given to `on`.
   */
  off(name: Name, listener: (event: unknown) => void): unknown
}

/** Replicas that a tuner adds or removes. */
export interface TunerScale {
  readonly direction: 'up' | 'down'
  readonly changes: readonly {
    readonly stage: string
    readonly before: number
    readonly after: number
  }[]
  readonly reason: string
}

/** A plan, or as much of one as there is. */
export interface LivePlanSource {
  /** By stage: how it is to be run. */
  readonly configuration: Readonly<
    Record<
      string,
      {
        /** Kind of hardware slot that each replica takes. */
        readonly tier: string
        /** Most rows of one batch. */
        readonly maxBatch: number
        /** How many replicas were planned. */
        readonly replicas: number
      }
    >
  >
  /** What it was planned for, shown where the pipeline promises nothing. Default: none is shown. */
  readonly objective?: LiveObjective | undefined
  /** How it was chosen. Default: that is not shown. */
  readonly strategy?: string | undefined
  /** What it costs, in the currency of its prices. Default: that is not shown. */
  readonly costPerHour?: number | undefined
  /** What it should do. Default: no prediction is shown. */
  readonly estimate?: LiveEstimateSource | undefined
  /** By stage: why it is run this way. Default: no reasons are shown. */
  readonly reasons?: Readonly<Record<string, string>> | undefined
}

/** Of an `Estimate`, what is shown. */
export interface LiveEstimateSource {
  /** Median latency. */
  readonly p50Ms: number
  /** Latency that 95 % of requests do not exceed. */
  readonly p95Ms: number
  /** Latency that 99 % of requests do not exceed. */
  readonly p99Ms: number
  /** Share of requests within the objective's latency, from 0 to 1. */
  readonly attainment: number
  /** By stage: what it does. */
  readonly stages: Readonly<
    Record<
      string,
      {
        /** Share of the time that replicas run batches, from 0 to 1. */
        readonly utilization: number
        /** Rows of a batch, on average. */
        readonly meanBatch: number
        /** What 99 % of rows wait at most for their batch to start. */
        readonly queueP99Ms: number
      }
    >
  >
}
