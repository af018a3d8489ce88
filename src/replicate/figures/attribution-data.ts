export interface AttributionData {
  readonly latencyMs: number
  readonly activationMs: number
  readonly traces: readonly AttributionTrace[]
}

export interface AttributionTrace {
  readonly shape: string
  readonly runs: readonly AttributionRun[]
}

export interface AttributionRun {
  readonly planner: 'ours' | 'coarse'
  /** `coarse` adds whole copies of what was planned, `coarse, by stage` single replicas, in proportion to the rate. */
  readonly tuner: 'ours' | 'coarse' | 'coarse, by stage' | 'none'
  /** Milliseconds over which a coarse-grained tuner counts arrivals. */
  readonly windowMs?: number | undefined
  readonly planCostPerHour: number
  /** Of the plan, on what it was made for. */
  readonly plannedAttainment: number
  readonly requests: number
  readonly late: number
  readonly attainment: number
  readonly cost: number
}
