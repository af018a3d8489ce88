import type { NativeCacheStats, NativeStageStats, NativeSummary } from '../native/stats.ts'

/** A distribution of values since the engine started, each in the unit that the name of the distribution says. */
export interface Distribution extends NativeSummary {
  /** How many values there are. */
  readonly count: number
  /** Their mean, in the unit of the values; 0 where there are none. */
  readonly mean: number
  /** Their median, in the unit of the values, within 1.6 %. */
  readonly p50: number
  /** What 95 % of them do not exceed, in the unit of the values, within 1.6 %. */
  readonly p95: number
  /** What 99 % of them do not exceed, in the unit of the values, within 1.6 %. */
  readonly p99: number
  /** The largest, in the unit of the values. */
  readonly max: number
}

/** What a stage did since the engine started. */
export interface StageStats extends NativeStageStats {
  /** Replicas that serve it now. */
  readonly replicas: number
  /** Rows that wait for it now. */
  readonly waitingRows: number
  /** Queues that rows wait in by size: 1, and where sizes vary one more for each bucket seen, at most 33. */
  readonly lanes: number
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
  /**
   * Elements of padded inputs that the model was given, padding included. With `paddingElements`,
   * the waste: `paddingElements / paddedElements`, since the start or between two readings.
   */
  readonly paddedElements: number
  /** How many of `paddedElements` were padding. */
  readonly paddingElements: number
  /**
   * Rows that left values on the device, where other stages read them: between `cuda()` stages, and `onnx()` stages of tier
   * `cuda`, on one device. What is handed on otherwise came back to the host.
   */
  readonly handedOnRows: number
  /**
   * Batches that the driver was given as a CUDA graph (`graphs` of a `cuda()` stage); the others were launched call by call.
   * None of a size where the driver could not make a graph.
   */
  readonly graphBatches: number
  /**
   * How often a replica came down to smaller batches than it was to take, since the memory of its device was not enough. It
   * stays with them until it is replaced.
   */
  readonly shrunkBatches: number
  /** Milliseconds that replicas spent on batches, all together. */
  readonly busyMs: number
  /** Milliseconds rows waited for a batch. */
  readonly queueMs: Distribution
  /** Milliseconds batches took. */
  readonly serviceMs: Distribution
  /** Rows of batches. */
  readonly batchRows: Distribution
  /** What became of equal rows; undefined where the stage has no cache. */
  readonly cache: CacheStats | undefined
  /**
   * Why the stage runs on its fallback: why what was wanted more cannot be used, or how the device was lost on which it ran.
   * Undefined where it does not.
   */
  readonly fallback: string | undefined
}

/** What the cache of a stage did since the engine started, and what it holds now. */
export interface CacheStats extends NativeCacheStats {
  /** Rows answered with a result that was kept, without being queued. */
  readonly hitRows: number
  /** Rows that waited for an equal row in flight and were given its result. */
  readonly sharedRows: number
  /** Rows that found neither and were queued. */
  readonly missedRows: number
  /** Bytes of results kept now, with their inputs and what keeping them takes. */
  readonly bytes: number
  /** How many results are kept now; expired ones count until they are reclaimed. */
  readonly entries: number
  /** How many results were given up for want of room. */
  readonly evictions: number
}

/** Requests by what became of them. */
export interface RequestStats {
  /** Requests answered with a result. */
  readonly completed: number
  /** How many of `completed` took no longer than the pipeline's objective allows; all, where it has none. */
  readonly withinObjective: number
  /** Requests of which a stage failed. */
  readonly failed: number
  /** Requests accepted and not answered before their deadline; or it had passed when they were made. */
  readonly deadlineExceeded: number
  /** Requests refused for lack of room (`maxPendingRows`); or accepted, and a stage had no room for their rows. */
  readonly queueFull: number
  /** Requests refused since they could not have been answered before their deadline, by what was known. */
  readonly shed: number
  /** Requests aborted through their signal. */
  readonly cancelled: number
  /** Requests accepted, and still pending when the engine was closed. */
  readonly closed: number
}

/** What an engine did since it started. */
export interface EngineStats<Stages extends string = string> {
  /** Requests by what became of them. */
  readonly requests: RequestStats
  /** Requests accepted and not answered. */
  readonly pendingRequests: number
  /** Rows in the pipeline, items of fan-outs included. */
  readonly pendingRows: number
  /** Milliseconds from submission to the end of completed requests, in the core. */
  readonly latencyMs: Distribution
  /** By stage: what it did. */
  readonly stages: Readonly<Record<Stages, StageStats>>
}
