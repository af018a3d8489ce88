import type { NativeStageStats, NativeSummary } from '../native/addon.ts'

/** A distribution: how many values, their mean, quantiles (within 1.6 %) and the largest. */
export type Distribution = NativeSummary

/** What a stage did since the engine started. */
export interface StageStats extends NativeStageStats {
  /** Replicas that serve it now. */
  readonly replicas: number
  /** Rows that wait for it now. */
  readonly waitingRows: number
  /** Rows whose run succeeded. */
  readonly rows: number
  /** Runs of the model. */
  readonly batches: number
  /** Batches whose rows had to be copied together; the others were used where they lay. */
  readonly gatheredBatches: number
  /** Rows dropped because their deadline could not be met any more. */
  readonly shedRows: number
  /** Rows dropped because their request was cancelled, expired or had failed elsewhere. */
  readonly skippedRows: number
  /** Rows that the model refused, each alone. */
  readonly failedRows: number
  /** Runs repeated with half of the rows, to find the one that fails. */
  readonly retries: number
  /** Milliseconds that replicas spent on batches, all together. */
  readonly busyMs: number
  /** Milliseconds rows waited for a batch. */
  readonly queueMs: Distribution
  /** Milliseconds batches took. */
  readonly serviceMs: Distribution
  /** Rows of batches. */
  readonly batchRows: Distribution
}

/** Requests by what became of them. */
export interface RequestStats {
  readonly completed: number
  readonly failed: number
  /** Accepted, and not answered before their deadline; or it had passed when they were made. */
  readonly deadlineExceeded: number
  /** Refused for lack of room: `maxPendingRows`. */
  readonly queueFull: number
  /** Refused since they could not have been answered before their deadline, by what was known. */
  readonly shed: number
  readonly cancelled: number
  readonly closed: number
}

/** What an engine did since it started. */
export interface EngineStats<Stages extends string = string> {
  /** Requests by what became of them. */
  readonly requests: RequestStats
  /** Requests accepted and not answered. */
  readonly pendingRequests: number
  /** Rows in the pipeline. */
  readonly pendingRows: number
  /** Milliseconds from submission to the end of completed requests, in the core. */
  readonly latencyMs: Distribution
  readonly stages: Readonly<Record<Stages, StageStats>>
}
