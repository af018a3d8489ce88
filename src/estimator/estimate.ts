/** How one stage is to be run. */
export interface PlannedStage {
  /** Kind of hardware slot that each replica takes: a tier that was profiled and has a price. */
  readonly tier: string
  /** Most rows of one batch, from 1 to the largest that was profiled. */
  readonly maxBatch: number
  /** How many replicas, from 1. */
  readonly replicas: number
  /** Which of its models; needed where the profile has several, else absent. */
  readonly model?: string | undefined
  /** Milliseconds an unfilled batch is held back, from 0 to 60,000. Default 0. */
  readonly maxDelayMs?: number | undefined
}

/** How every stage of a profile is to be run. */
export type PlannedConfiguration = Readonly<Record<string, PlannedStage>>

/** What a configuration would make of a trace. */
export interface Estimate {
  /** Requests of the trace; all are answered, however late. */
  readonly requests: number
  /** Median latency, by nearest rank: from a request's arrival to its answer. */
  readonly p50Ms: number
  /** Latency that 95 % of the requests do not exceed, by nearest rank. */
  readonly p95Ms: number
  /** Latency that 99 % of the requests do not exceed, by nearest rank. */
  readonly p99Ms: number
  /** Latency of the slowest request. */
  readonly maxMs: number
  /** Share of the requests within the objective's latency, from 0 to 1. */
  readonly attainment: number
  /** What all replicas cost an hour, in the currency of the hardware's prices. */
  readonly costPerHour: number
  /** By stage: what it does. */
  readonly stages: Readonly<Record<string, StageEstimate>>
  /** Mean power of all replicas, in watts; absent unless all tiers used carry watts. */
  readonly watts?: number | undefined
  /** Product of the accuracies of the models chosen, from 0 to 1; absent where there are none to choose. */
  readonly accuracy?: number | undefined
}

/** What one stage would do. */
export interface StageEstimate {
  /** Share of the time that replicas run batches, from 0 to 1. */
  readonly utilization: number
  /** Rows of a batch, on average. */
  readonly meanBatch: number
  /** What 99 % of rows wait at most for their batch to start, within 1.6 %. */
  readonly queueP99Ms: number
  /** Rows that it runs in all. */
  readonly visits: number
}
