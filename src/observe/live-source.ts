// What the live view needs of an engine, a tuner, a plan and prices. `Engine`, `Tuner`, `Plan` and `Hardware` are such;
// this folder may not name the last three.
import type { EngineEvents } from '../engine/events.ts'
import type { EngineHistograms, HistogramBounds } from '../engine/histograms.ts'
import type { EngineStats } from '../engine/stats.ts'
import type { CompleteConfiguration } from '../pipeline/configuration.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'

/** An engine, as it is watched. */
export interface LiveEngineSource extends Subscribable<keyof EngineEvents> {
  readonly pipeline: Pipeline
  readonly configuration: CompleteConfiguration
  stats(): EngineStats
  histograms(bounds: HistogramBounds): EngineHistograms
  /** Other than 'serving' where it is closed or drained. */
  readonly state: string
}

/** A tuner, as it is watched. */
export interface LiveTunerSource extends Subscribable<'scale' | 'replan' | 'clock' | 'error'> {
  stats(): {
    readonly running: boolean
    readonly level: number
    readonly scaleUps: number
    readonly scaleDowns: number
    readonly replans: number
  }
}

/** Whose listeners are told; what each is told depends on the name. */
export interface Subscribable<Name extends string> {
  on(name: Name, listener: (event: unknown) => void): unknown
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
  readonly configuration: Readonly<
    Record<string, { readonly tier: string; readonly maxBatch: number; readonly replicas: number }>
  >
  readonly objective?: { readonly latencyMs: number; readonly percentile: number } | undefined
  readonly strategy?: string | undefined
  readonly costPerHour?: number | undefined
  readonly estimate?: LiveEstimateSource | undefined
  /** By stage: why it is run this way. */
  readonly reasons?: Readonly<Record<string, string>> | undefined
}

interface LiveEstimateSource {
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
  readonly attainment: number
  readonly stages: Readonly<
    Record<
      string,
      { readonly utilization: number; readonly meanBatch: number; readonly queueP99Ms: number }
    >
  >
}
