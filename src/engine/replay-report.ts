import type { OpenLoop } from './open-loop.ts'
import type { Distribution, EngineStats, StageStats } from './stats.ts'

/** What became of a trace on a live engine; what an `Estimate` predicts has the same name here. */
export interface ReplayReport {
  /** Requests sent: all of the trace. */
  readonly requests: number
  /** Requests that were answered. */
  readonly completed: number
  /** Failed requests by the code of their error; UNSETTLED where no answer came in time. */
  readonly failed: Readonly<Record<string, number>>
  /**
   * Mean latency of the completed requests: from when a request was meant to be sent to when its promise was fulfilled, as
   * JavaScript sees it. NaN where none completed, as are the four that follow.
   */
  readonly meanMs: number
  /** Median of the same latencies, by nearest rank. */
  readonly p50Ms: number
  /** What 95 % of the same latencies do not exceed, by nearest rank. */
  readonly p95Ms: number
  /** What 99 % of the same latencies do not exceed, by nearest rank. */
  readonly p99Ms: number
  /** The longest of the same latencies. */
  readonly maxMs: number
  /** Share of all requests answered within the objective's latency, from 0 to 1; undefined without an objective. */
  readonly attainment: number | undefined
  /** Requests sent more than 1 ms late. Where they are many, the figures are of this process and not of the engine. */
  readonly sentLate: number
  /** Milliseconds from the start to the last answer. */
  readonly durationMs: number
  /** Latencies as the core saw them, from submission to end; those of all requests since the engine started. */
  readonly coreMs: Distribution
  /** By stage: what it did meanwhile. */
  readonly stages: Readonly<Record<string, ReplayStage>>
  /** Latency of each request, in the order of the trace; NaN for those that did not complete. */
  readonly latenciesMs: Float64Array
  /**
   * By request: when it was really sent, from the start. Where threads are slow to wake up, what the engine was given is
   * this trace rather than the one that was meant.
   */
  readonly sentAtMs: Float64Array
}

/** What a stage did during a replay. */
export interface ReplayStage {
  /** Share of the time that replicas ran batches, from 0 to 1. */
  readonly utilization: number
  /** Rows of a batch, on average; 0 where there was none. */
  readonly meanBatch: number
  /** What 99 % of rows waited at most for their batch to start, within 1.6 %; of all rows since the engine started. */
  readonly queueP99Ms: number
  /** Rows that it ran. */
  readonly visits: number
  /** Batches that it ran. */
  readonly batches: number
  /** Milliseconds a batch took, on average; 0 where there was none. */
  readonly meanServiceMs: number
  /** Replicas that it had at the end. */
  readonly replicas: number
}

/** Sums up a loop that has ended, given the engine's statistics before and after it. */
export function reportReplay(
  loop: OpenLoop,
  {
    latencyMs,
    before,
    after,
  }: {
    readonly latencyMs: number | undefined
    readonly before: EngineStats
    readonly after: EngineStats
  },
): ReplayReport {
  const { latenciesMs, sentAtMs, failed, sentLate } = loop
  const sorted = latenciesMs.filter((each) => !Number.isNaN(each)).sort()
  const durationMs = loop.lastSettledMs
  const stages = Object.entries(after.stages).map(([name, stage]) => {
    return [name, reportStage(stage, { before: before.stages[name], durationMs })] as const
  })
  return {
    requests: latenciesMs.length,
    completed: sorted.length,
    failed: { ...failed },
    meanMs: sorted.reduce((sum, each) => sum + each, 0) / sorted.length,
    p50Ms: nearestRank(sorted, 50),
    p95Ms: nearestRank(sorted, 95),
    p99Ms: nearestRank(sorted, 99),
    maxMs: nearestRank(sorted, 100),
    attainment:
      latencyMs === undefined ? undefined : countUpTo(sorted, latencyMs) / latenciesMs.length,
    sentLate,
    durationMs,
    coreMs: after.latencyMs,
    stages: Object.fromEntries(stages),
    latenciesMs,
    sentAtMs,
  }
}

function reportStage(
  after: StageStats,
  { before, durationMs }: { readonly before: StageStats | undefined; readonly durationMs: number },
): ReplayStage {
  const visits = after.rows - (before?.rows ?? 0)
  const batches = after.batches - (before?.batches ?? 0)
  const busyMs = after.busyMs - (before?.busyMs ?? 0)
  return {
    utilization: busyMs / Math.max(1, after.replicas) / durationMs,
    meanBatch: batches === 0 ? 0 : visits / batches,
    queueP99Ms: after.queueMs.p99,
    visits,
    batches,
    meanServiceMs: batches === 0 ? 0 : busyMs / batches,
    replicas: after.replicas,
  }
}

function nearestRank(sorted: Float64Array, percentile: number): number {
  return sorted[Math.ceil((percentile / 100) * sorted.length) - 1] ?? Number.NaN
}

function countUpTo(sorted: Float64Array, limit: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] as number) <= limit) low = middle + 1
    else high = middle
  }
  return low
}
