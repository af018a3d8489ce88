export interface AccuracyData {
  readonly ratePerS: number
  readonly cv2: number
  readonly durationMs: number
  /** Those that no other beats. */
  readonly plans: readonly AccuracyPlan[]
}

export interface AccuracyPlan {
  /** The objective that it was planned for. */
  readonly latencyMs: number
  /** Share of requests with the right answer of both models. */
  readonly accuracy: number
  readonly costPerHour: number
  readonly p99Ms: number
  /** Largest batches of all stages, added up. */
  readonly batches: number
  readonly configuration: string
}
