// What the native engine counted: stats_writer.cc and the histograms, as they are.

/** A distribution, of milliseconds where the name says so. */
export interface NativeSummary {
  readonly count: number
  readonly mean: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly max: number
}

export interface NativeStageStats {
  readonly replicas: number
  readonly waitingRows: number
  readonly lanes: number
  readonly rows: number
  readonly batches: number
  readonly gatheredBatches: number
  readonly shedRows: number
  readonly skippedRows: number
  readonly failedRows: number
  readonly interruptedBatches: number
  readonly retries: number
  readonly paddedElements: number
  readonly paddingElements: number
  readonly handedOnRows: number
  readonly graphBatches: number
  readonly shrunkBatches: number
  readonly busyMs: number
  readonly queueMs: NativeSummary
  readonly serviceMs: NativeSummary
  readonly batchRows: NativeSummary
  readonly cache: NativeCacheStats | undefined
  readonly fallback: string | undefined
}

export interface NativeCacheStats {
  readonly hitRows: number
  readonly sharedRows: number
  readonly missedRows: number
  readonly bytes: number
  readonly entries: number
  readonly evictions: number
}

export interface NativeStats {
  readonly pendingRequests: number
  readonly pendingRows: number
  readonly requests: {
    readonly completed: number
    readonly withinObjective: number
    readonly failed: number
    readonly deadlineExceeded: number
    readonly queueFull: number
    readonly shed: number
    readonly cancelled: number
    readonly closed: number
  }
  readonly latencyMs: NativeSummary
  readonly stages: Readonly<Record<string, NativeStageStats>>
}

/** Ascending, at least 0; the times are of requests, and of queue and service of each stage. */
export interface NativeHistogramBounds {
  readonly latencyMs: readonly number[]
  readonly stageMs: readonly number[]
  readonly batchRows: readonly number[]
}

/** A distribution, counted up to bounds. */
export interface NativeHistogram {
  /** For each bound, how many values lie at or below it; those up to 1.6 % below may be missing. */
  readonly upTo: readonly number[]
  readonly count: number
  readonly sum: number
}

export interface NativeHistograms {
  readonly latencyMs: NativeHistogram
  readonly stages: Readonly<
    Record<string, Readonly<Record<'queueMs' | 'serviceMs' | 'batchRows', NativeHistogram>>>
  >
}
