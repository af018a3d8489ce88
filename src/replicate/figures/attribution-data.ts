export interface AttributionData {
  readonly latencyMs: number
  readonly activationMs: number
  readonly traces: readonly {
    readonly shape: string
    readonly runs: readonly AttributionRun[]
  }[]
}

export interface AttributionRun {
  readonly planner: 'ours' | 'coarse'
  /** The coarse-grained one counts arrivals of a second, or `slow` of ten. */
  readonly tuner: 'ours' | 'coarse' | 'coarse, slow' | 'none'
  /** Of the plan, on what it was made for. */
  readonly plannedAttainment: number
  readonly requests: number
  readonly late: number
  readonly attainment: number
  readonly cost: number
}
