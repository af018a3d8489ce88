import type { NativeStageStats, NativeStats, NativeSummary } from '../native/addon.ts'

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
  /** Runs ended early, since nobody waited for any of their rows any more. */
  readonly interruptedBatches: number
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

/** What an engine did since it started. */
export interface EngineStats<Stages extends string = string> extends Pick<NativeStats, 'requests'> {
  /** Requests accepted and not answered. */
  readonly pendingRequests: number
  /** Rows in the pipeline. */
  readonly pendingRows: number
  /** Milliseconds from submission to the end of completed requests, in the core. */
  readonly latencyMs: Distribution
  readonly stages: Readonly<Record<Stages, StageStats>>
}
