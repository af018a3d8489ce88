import type { EngineHistograms, HistogramBounds } from '../engine/histograms.ts'
import type { EngineStats } from '../engine/stats.ts'
import type { Objective } from '../pipeline/objective.ts'
import type { AttainmentReading } from './attainment.ts'
import type { StaffedConfiguration } from './cost-per-hour.ts'

/** Of an engine, what its metrics are made from. */
export interface MeteredEngine {
  /** What it serves. */
  readonly pipeline: {
    /** The label `pipeline`, unless the options have a name. */
    readonly name: string
    /** What attainment is counted against; undefined: none is shown. */
    readonly objective: Objective | undefined
  }
  /** What is served now: for the cost. */
  readonly configuration: StaffedConfiguration
  /** Counters and distributions since the start. */
  stats(): EngineStats
  /** The same distributions, counted up to bounds. */
  histograms(bounds: HistogramBounds): EngineHistograms
  /**
   * Has a listener called when it is closed.
   *
   * @param event That of an engine's events by which its metrics go.
   * @param listener Takes them out of the registry.
   */
  on(event: 'close', listener: () => void): unknown
  /**
   * Ends what `on` began with the same listener.
   *
   * @param event As it was given to `on`.
   * @param listener As it was given to `on`.
   */
  off(event: 'close', listener: () => void): unknown
}

/** What is known of an engine at one moment: every metric of a scrape follows from the same. */
export interface EngineReading {
  readonly objective: Objective | undefined
  readonly stats: EngineStats
  readonly bounds: HistogramBounds
  readonly histograms: EngineHistograms
  /** Undefined without an objective. */
  readonly attainment: AttainmentReading | undefined
  /** Undefined where a tier has no price. */
  readonly costPerHour: number | undefined
}
