import type { EngineHistograms, HistogramBounds } from '../engine/histograms.ts'
import type { EngineStats } from '../engine/stats.ts'
import type { Objective } from '../pipeline/objective.ts'
import type { AttainmentReading } from './attainment.ts'

/** Of an engine, what its metrics are made from. */
export interface MeteredEngine {
  readonly pipeline: { readonly name: string; readonly objective: Objective | undefined }
  readonly configuration: Readonly<
    Record<string, { readonly tier: string; readonly replicas: number }>
  >
  stats(): EngineStats
  histograms(bounds: HistogramBounds): EngineHistograms
  on(event: 'close', listener: () => void): unknown
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
