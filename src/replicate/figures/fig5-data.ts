import type { PaperPipeline } from '../paper-pipelines.ts'

export interface Fig5Data {
  readonly latencyMs: number
  readonly durationMs: number
  readonly points: readonly Fig5Point[]
}

export interface Fig5Point {
  readonly pipeline: PaperPipeline
  readonly cv2: number
  readonly ratePerS: number
  /** In the order of the systems. */
  readonly answers: readonly Fig5Answer[]
}

export interface Fig5Answer {
  readonly system: string
  readonly costPerHour?: number
  /** Share of requests in time, on the trace planned for. */
  readonly plannedAttainment?: number
  /** The same, on a fresh trace. */
  readonly attainment?: number
  readonly p99Ms?: number
  /** The same on each of several fresh traces, of which `attainment` is the first; for plans by the true minimum alone. */
  readonly freshAttainments?: readonly number[]
  /** The stage whose replicas are fullest at the mean rate of the trace planned for, and how full, from 0 to 1. */
  readonly fullest?: { readonly stage: string; readonly load: number }
  /** Why there is no plan. */
  readonly refusal?: string
}
