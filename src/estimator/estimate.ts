/** How one stage is to be run. */
export interface PlannedStage {
  readonly tier: string
  readonly maxBatch: number
  readonly replicas: number
  /** Which of its models, where the profile has several. */
  readonly model?: string | undefined
  /** Milliseconds an unfilled batch is held back. Default 0. */
  readonly maxDelayMs?: number | undefined
}

/** How every stage of a profile is to be run. */
export type PlannedConfiguration = Readonly<Record<string, PlannedStage>>

/** What a configuration would make of a trace. */
export interface Estimate {
  readonly requests: number
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  /** Share of the requests within the objective's latency, from 0 to 1. */
  readonly attainment: number
  readonly costPerHour: number
  readonly stages: Readonly<Record<string, StageEstimate>>
  /** Mean power of all replicas, where all tiers used carry watts. */
  readonly watts?: number | undefined
  /** Product of the accuracies of the models chosen, where there are any to choose. */
  readonly accuracy?: number | undefined
}

export interface StageEstimate {
  /** Share of the time that replicas run batches, from 0 to 1. */
  readonly utilization: number
  /** Rows a batch. */
  readonly meanBatch: number
  /** Time rows wait for their batch to start. */
  readonly queueP99Ms: number
  /** Rows in all. */
  readonly visits: number
}
