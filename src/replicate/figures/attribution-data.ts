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
  readonly tuner: 'ours' | 'coarse' | 'none'
  readonly requests: number
  readonly late: number
  readonly attainment: number
  readonly cost: number
}
