// What the live page and `millrace top` show, as JSON. Nothing is imported here: the page's own script is compiled against
// these declarations, and a browser has none of the rest.

/** What engines do now. Keys that are undefined are left out of the JSON; what is new in a version may be ignored. */
export interface LiveSnapshot {
  /** Of this format. */
  readonly version: 1
  /** When it was taken: milliseconds since 1970. */
  readonly atMs: number
  /** Milliseconds from one snapshot to the next. */
  readonly intervalMs: number
  /** In the order in which they were given. */
  readonly engines: readonly LiveEngine[]
}

/** What one engine does now. "Recent" is within the last `windowMs`. */
export interface LiveEngine {
  /** As the host named it: any text. */
  readonly name: string
  /** Name of the pipeline. */
  readonly pipeline: string
  /** `ended` where it was closed, or is being drained. */
  readonly state: 'serving' | 'ended'
  /** What is promised, by the pipeline, else by the plan; undefined where neither has one. */
  readonly objective?: LiveObjective | undefined
  /** Its stages, and what leads from one to the next. */
  readonly graph: LiveGraph
  /** Milliseconds that all that is recent was counted over; 0 where there was nothing to compare with yet. */
  readonly windowMs: number
  /** Requests since the engine started, by what became of them. */
  readonly requests: Readonly<Record<LiveOutcome, number>>
  /** The recent ones. */
  readonly recentRequests: Readonly<Record<LiveOutcome, number>>
  /** Requests that came in a second, recently; undefined in the first reading. */
  readonly ratePerS?: number | undefined
  /** Requests accepted and not answered. */
  readonly pendingRequests: number
  /** Rows in the pipeline, items of fan-outs included. */
  readonly pendingRows: number
  /** Milliseconds from submission to the end of completed requests, in the core. */
  readonly latency: {
    /** Of requests that ended recently; undefined where none did. */
    readonly recent?: LiveDistribution | undefined
    /** Of all since the engine started; undefined where none has ended. */
    readonly sinceStart?: LiveDistribution | undefined
  }
  /** How the objective was kept; undefined where the pipeline has none. */
  readonly attainment?: LiveAttainment | undefined
  /** By stage: what it does. */
  readonly stages: Readonly<Record<string, LiveStage>>
  /** Of all replicas, in the currency of the hardware's prices; undefined where one has no price. */
  readonly costPerHour?: number | undefined
  /** What was planned, to be shown beside what is measured; undefined where no plan was given. */
  readonly plan?: LivePlan | undefined
  /** What the tuner sees and did; undefined where none was given. */
  readonly tuner?: LiveTuning | undefined
  /** What the tuner decided and what was changed, the newest first; at most 50 of each of the two. */
  readonly log: readonly LiveEvent[]
  /**
   * The last 300 readings at most, oldest first. Undefined but in the first snapshot of a connection: later ones are the
   * points that follow.
   */
  readonly history?: readonly LivePoint[] | undefined
}

/** What is promised. */
export interface LiveObjective {
  /** Milliseconds from a call to its result. */
  readonly latencyMs: number
  /** Share of requests in percent. */
  readonly percentile: number
}

export const liveOutcomes = [
  'completed',
  'failed',
  'deadlineExceeded',
  'queueFull',
  'shed',
  'cancelled',
  'closed',
] as const

/**
 * What became of requests, as `engine.stats().requests` counts them.
 *
 * @useDeclaredType
 */
export type LiveOutcome = (typeof liveOutcomes)[number]

/** A distribution of times. */
export interface LiveDistribution {
  /** How many values there are, at least 1. */
  readonly count: number
  /** Their mean. */
  readonly meanMs: number
  /** Their median, within 9 % where it is recent, and within 1.6 % since the start. */
  readonly p50Ms: number
  /** What 95 % of them do not exceed, as exact as the median. */
  readonly p95Ms: number
  /** What 99 % of them do not exceed, as exact as the median. */
  readonly p99Ms: number
}

/** How the objective was kept: over the last minute, and over the last 30 minutes. */
export interface LiveAttainment {
  /** What is wrong right now. */
  readonly lastMinute: LiveShare
  /** Whether it lasts. */
  readonly last30Minutes: LiveShare
}

/** How the objective was kept over some time. */
export interface LiveShare {
  /** Milliseconds that it covers: less than its window where no more is known. */
  readonly coveredMs: number
  /** Requests that count: all that ended but those their clients cancelled. */
  readonly requests: number
  /** Share of them within the objective's latency, from 0 to 1; undefined where none counts. */
  readonly attainment?: number | undefined
  /**
   * How many times as fast as allowed the share of misses is used up: 1 is just what the objective allows. Undefined where
   * `attainment` is.
   */
  readonly burnRate?: number | undefined
}

/** A pipeline as it is drawn. */
export interface LiveGraph {
  /** In an order in which each comes after all it depends on. */
  readonly stages: readonly LiveNode[]
  /** From `request` or a stage, to a stage or `result`; one for each two. */
  readonly edges: readonly LiveEdge[]
}

/** A stage as it is drawn. */
export interface LiveNode {
  /** As the pipeline calls the stage. */
  readonly name: string
  /** What it runs: a model, a function in workers, a function on the event loop, or a kernel on a GPU. */
  readonly kind: 'onnx' | 'js' | 'inline' | 'cuda'
  /** How many stages lie on the longest way from the request to it, itself included. */
  readonly level: number
  /** Whether it makes a row into items. */
  readonly fanOut: boolean
}

/** What leads from one stage to another as it is drawn. */
export interface LiveEdge {
  /** Name of a stage, or `request`. */
  readonly from: string
  /** Name of a stage, or `result`. */
  readonly to: string
  /** When rows pass, such as `confidence below 0.8`; undefined where all do. */
  readonly condition?: string | undefined
}

/** What one stage does now. */
export interface LiveStage {
  /** Kind of hardware slot that each replica takes. */
  readonly tier: string
  /** Most rows of one batch. */
  readonly maxBatch: number
  /** Milliseconds the oldest row may be held back so that a batch fills. */
  readonly maxDelayMs: number
  /** Which of its models serves; undefined where it lists none. */
  readonly model?: string | undefined
  /** How many replicas serve it now. */
  readonly replicas: number
  /** How many rows wait for it now. */
  readonly waitingRows: number
  /** Rows that succeeded in a second, recently; undefined in the first reading. */
  readonly ratePerS?: number | undefined
  /** Rows of a batch, recently and on average; undefined where there was none. */
  readonly meanBatch?: number | undefined
  /** Share of the time that replicas ran batches recently, from 0 to 1; undefined where there were no replicas. */
  readonly utilization?: number | undefined
  /** Milliseconds rows waited for a batch, recently; undefined where none did. */
  readonly queue?: LiveDistribution | undefined
  /** Milliseconds batches took, recently; undefined where there was none. */
  readonly service?: LiveDistribution | undefined
  /** Rows whose run succeeded, since the engine started, as the three that follow. */
  readonly rows: number
  /** Rows that the model refused, each alone. */
  readonly failedRows: number
  /** Rows dropped because their deadline could not be met any more. */
  readonly shedRows: number
  /** Rows dropped because their request was cancelled, expired or had failed elsewhere. */
  readonly skippedRows: number
}

/** A plan: what was predicted. All but its stages is undefined where the plan does not say. */
export interface LivePlan {
  /** How it was chosen; undefined where the plan does not say. */
  readonly strategy?: string | undefined
  /** What it costs, in the currency of its prices; undefined where the plan does not say. */
  readonly costPerHour?: number | undefined
  /** Median latency that was predicted; undefined without an estimate. */
  readonly p50Ms?: number | undefined
  /** Latency that 95 % of requests should not exceed; undefined without an estimate. */
  readonly p95Ms?: number | undefined
  /** Latency that 99 % of requests should not exceed; undefined without an estimate. */
  readonly p99Ms?: number | undefined
  /** Share of requests that should be within the objective, from 0 to 1; undefined without an estimate. */
  readonly attainment?: number | undefined
  /** By stage: how it is to be run, and what that should do. */
  readonly stages: Readonly<Record<string, LivePlannedStage>>
}

/** One stage of a plan. */
export interface LivePlannedStage {
  /** Kind of hardware slot that each replica takes. */
  readonly tier: string
  /** Most rows of one batch. */
  readonly maxBatch: number
  /** How many replicas were planned. */
  readonly replicas: number
  /** Share of the time that replicas should run batches, from 0 to 1; undefined without an estimate. */
  readonly utilization?: number | undefined
  /** Rows of a batch that were predicted, on average; undefined without an estimate. */
  readonly meanBatch?: number | undefined
  /** What 99 % of rows should wait at most for their batch; undefined without an estimate. */
  readonly queueP99Ms?: number | undefined
  /** Why it is run this way; undefined where the plan does not say. */
  readonly reason?: string | undefined
}

/** What a tuner sees and did. */
export interface LiveTuning {
  /** Whether it was started and not stopped. */
  readonly running: boolean
  /** How much traffic there is, as a factor: 1 is as much as was planned for. */
  readonly level: number
  /** How many times replicas were added. */
  readonly scaleUps: number
  /** How many times replicas were removed. */
  readonly scaleDowns: number
  /** How many times another plan took the place of the one before. */
  readonly replans: number
}

/** Something that was decided, or that was changed. */
export interface LiveEvent {
  /** An integer that grows from one event to the next of the same engine. */
  readonly id: number
  /** Milliseconds since 1970. */
  readonly atMs: number
  /** What happened: `up`, `down`, `replan` and `clock` are a tuner's, the others an engine's; `error` may be either's. */
  readonly kind:
    | 'up'
    | 'down'
    | 'replan'
    | 'clock'
    | 'scale'
    | 'swap'
    | 'apply'
    | 'fallback'
    | 'shed'
    | 'error'
  /** Such as `accurate 2 to 3`. */
  readonly text: string
  /** Why, such as `window 0.32 s: 214/s over 150/s planned`; undefined where nothing was decided. */
  readonly reason?: string | undefined
}

/** One moment of the last minutes. */
export interface LivePoint {
  /** Milliseconds since 1970. */
  readonly atMs: number
  /** Requests that came in a second; undefined in the first reading. */
  readonly ratePerS?: number | undefined
  /** Median latency of the requests that ended just before; undefined where none did. */
  readonly p50Ms?: number | undefined
  /** Latency that 95 % of them did not exceed; undefined where none ended. */
  readonly p95Ms?: number | undefined
  /** Latency that 99 % of them did not exceed; undefined where none ended. */
  readonly p99Ms?: number | undefined
}
