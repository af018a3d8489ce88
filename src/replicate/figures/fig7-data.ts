export interface Fig7Data {
  readonly latencyMs: number
  readonly fromRatePerS: number
  readonly toRatePerS: number
  readonly activationMs: number
  readonly points: readonly Fig7Point[]
}

export interface Fig7Point {
  readonly system: string
  readonly cv2: number
  readonly transitionMs: number
  readonly requests: number
  readonly late: number
  readonly attainment: number
  readonly p99Ms: number
  /** Of all replicas, over the trace served. */
  readonly cost: number
  /** The same, per hour on average. */
  readonly costPerHour: number
  /** Of the plan, on the trace it was made for. */
  readonly plannedAttainment: number
}
