export interface SplitData {
  readonly latencyMs: number
  readonly durationMs: number
  readonly points: readonly SplitPoint[]
}

export interface SplitPoint {
  readonly ratePerS: number
  readonly cv2: number
  readonly answers: readonly SplitAnswer[]
}

export interface SplitAnswer {
  /** `planner`, or the parts of retriever and model, such as `20/80`. */
  readonly split: string
  readonly costPerHour?: number
  readonly plannedAttainment?: number
  /** On the fresh trace. */
  readonly attainment?: number
  readonly p99Ms?: number
  readonly stages?: readonly SplitStage[]
  /** Why there is no plan. */
  readonly refusal?: string
}

export interface SplitStage {
  readonly stage: string
  readonly tier: string
  readonly maxBatch: number
  readonly replicas: number
  /** Of a batch as large as it may be. */
  readonly batchMs: number
  readonly queueP99Ms: number
  readonly meanBatch: number
}
