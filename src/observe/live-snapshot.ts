// What the live page and `millrace top` show, as JSON. Nothing is imported here: the page's own script is compiled against
// these declarations, and a browser has none of the rest.

/** What engines do now. Keys that are undefined are left out of the JSON; what is new in a version may be ignored. */
export interface LiveSnapshot {
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
  /** Of the pipeline, else of the plan. */
  readonly objective?: LiveObjective | undefined
  readonly graph: LiveGraph
  /** Milliseconds that all that is recent was counted over; 0 where there was nothing to compare with yet. */
  readonly windowMs: number
  /** Requests since the engine started, by what became of them. */
  readonly requests: Readonly<Record<LiveOutcome, number>>
  /** The recent ones. */
  readonly recentRequests: Readonly<Record<LiveOutcome, number>>
  /** Requests that came, recently. */
  readonly ratePerS?: number | undefined
  readonly pendingRequests: number
  readonly pendingRows: number
  /** Milliseconds from submission to the end of completed requests, in the core. */
  readonly latency: {
    readonly recent?: LiveDistribution | undefined
    readonly sinceStart?: LiveDistribution | undefined
  }
  /** Undefined where the pipeline has no objective. */
  readonly attainment?: LiveAttainment | undefined
  readonly stages: Readonly<Record<string, LiveStage>>
  /** Of all replicas, in the currency of the hardware's prices; undefined where one has no price. */
  readonly costPerHour?: number | undefined
  /** What was planned: shown beside what is measured. */
  readonly plan?: LivePlan | undefined
  readonly tuner?: LiveTuning | undefined
  /** What the tuner decided and what was changed, the newest first; at most 50 of each of the two. */
  readonly log: readonly LiveEvent[]
  /** The last minutes, oldest first. Only in the first snapshot of a connection: later ones are the points that follow. */
  readonly history?: readonly LivePoint[] | undefined
}

export interface LiveObjective {
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

/** As `engine.stats().requests` counts them. */
export type LiveOutcome = (typeof liveOutcomes)[number]

export interface LiveDistribution {
  readonly count: number
  readonly meanMs: number
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
}

/** How the objective was kept: over the last minute, and over the last 30 minutes. */
export interface LiveAttainment {
  readonly lastMinute: LiveShare
  readonly last30Minutes: LiveShare
}

export interface LiveShare {
  /** Milliseconds that it covers: less than its window where no more is known. */
  readonly coveredMs: number
  /** That count: all that ended but those their clients cancelled. */
  readonly requests: number
  /** From 0 to 1; undefined where none counts. */
  readonly attainment?: number | undefined
  /** How many times as fast as allowed the share of misses is used up; 1 is just what the objective allows. */
  readonly burnRate?: number | undefined
}

/** A pipeline as it is drawn. */
export interface LiveGraph {
  /** In an order in which each comes after all it depends on. */
  readonly stages: readonly LiveNode[]
  /** From `request` or a stage, to a stage or `result`; one for each two. */
  readonly edges: readonly LiveEdge[]
}

export interface LiveNode {
  readonly name: string
  readonly kind: 'onnx' | 'js' | 'inline' | 'cuda'
  /** Stages on the longest way from the request to it. */
  readonly level: number
  /** Makes a row into items. */
  readonly fanOut: boolean
}

export interface LiveEdge {
  readonly from: string
  readonly to: string
  /** When rows pass, where not all do: such as `confidence below 0.8`. */
  readonly condition?: string | undefined
}

/** What one stage does now. */
export interface LiveStage {
  readonly tier: string
  readonly maxBatch: number
  readonly maxDelayMs: number
  /** Where it lists several. */
  readonly model?: string | undefined
  readonly replicas: number
  readonly waitingRows: number
  /** Rows that succeeded, recently. */
  readonly ratePerS?: number | undefined
  /** Rows of a batch, recently. */
  readonly meanBatch?: number | undefined
  /** Share of the time that replicas ran batches recently, from 0 to 1. */
  readonly utilization?: number | undefined
  /** Milliseconds rows waited for a batch. */
  readonly queue?: LiveDistribution | undefined
  /** Milliseconds batches took. */
  readonly service?: LiveDistribution | undefined
  /** Since the engine started. */
  readonly rows: number
  readonly failedRows: number
  readonly shedRows: number
  readonly skippedRows: number
}

/** A plan: what was predicted. */
export interface LivePlan {
  readonly strategy?: string | undefined
  readonly costPerHour?: number | undefined
  readonly p50Ms?: number | undefined
  readonly p95Ms?: number | undefined
  readonly p99Ms?: number | undefined
  /** From 0 to 1. */
  readonly attainment?: number | undefined
  readonly stages: Readonly<Record<string, LivePlannedStage>>
}

export interface LivePlannedStage {
  readonly tier: string
  readonly maxBatch: number
  readonly replicas: number
  readonly utilization?: number | undefined
  readonly meanBatch?: number | undefined
  readonly queueP99Ms?: number | undefined
  /** Why it is run this way. */
  readonly reason?: string | undefined
}

/** What a tuner sees. */
export interface LiveTuning {
  readonly running: boolean
  /** How much traffic there is: 1 is as much as was planned for. */
  readonly level: number
  readonly scaleUps: number
  readonly scaleDowns: number
  readonly replans: number
}

/** Something that was decided, or that was changed. */
export interface LiveEvent {
  /** Grows from one event to the next of the same engine. */
  readonly id: number
  /** Milliseconds since 1970. */
  readonly atMs: number
  readonly kind: 'up' | 'down' | 'replan' | 'clock' | 'scale' | 'swap' | 'apply' | 'shed' | 'error'
  /** Such as `accurate 2 to 3`. */
  readonly text: string
  /** Why, where something was decided: such as `window 0.32 s: 214/s over 150/s planned`. */
  readonly reason?: string | undefined
}

/** One moment of the last minutes. */
export interface LivePoint {
  readonly atMs: number
  readonly ratePerS?: number | undefined
  readonly p50Ms?: number | undefined
  readonly p95Ms?: number | undefined
  readonly p99Ms?: number | undefined
}
