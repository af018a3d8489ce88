import type { StageHistograms } from '../engine/histograms.ts'
import type { StageStats } from '../engine/stats.ts'
import type { CompleteStageConfiguration } from '../pipeline/configuration.ts'
import type { LiveReading } from './live-readings.ts'
import type { LiveStage } from './live-snapshot.ts'
import { recentOf } from './recent.ts'

/** What a stage does, by readings of which the last is of now. Pure. */
export function liveStage(
  name: string,
  given: {
    readonly readings: readonly LiveReading[]
    readonly configuration: CompleteStageConfiguration
  },
): LiveStage {
  const { tier, maxBatch, maxDelayMs, model } = given.configuration
  const moments = given.readings.map(({ atMs, stats, histograms }): Moment => {
    // Stages never change.
    const stage = stats.stages[name] as StageStats
    return { atMs, stage, histograms: histograms.stages[name] as StageHistograms }
  })
  const [first, last] = [moments[0] as Moment, moments.at(-1) as Moment]
  const [before, now] = [first.stage, last.stage]
  const { replicas, waitingRows, rows, failedRows, shedRows, skippedRows } = now
  const windowMs = last.atMs - first.atMs
  const batches = now.batchRows.count - before.batchRows.count
  const batchedRows = sumOf(now.batchRows) - sumOf(before.batchRows)
  return {
    ...{ tier, maxBatch, maxDelayMs, model },
    ...{ replicas, waitingRows, rows, failedRows, shedRows, skippedRows },
    ratePerS: windowMs > 0 ? (1000 * (rows - before.rows)) / windowMs : undefined,
    meanBatch: batches > 0 ? batchedRows / batches : undefined,
    utilization: utilizationOf(moments),
    queue: recentOf(first.histograms.queueMs, last.histograms.queueMs),
    service: recentOf(first.histograms.serviceMs, last.histograms.serviceMs),
  }
}

interface Moment {
  readonly atMs: number
  readonly stage: StageStats
  readonly histograms: StageHistograms
}

/** Of the time that there were replicas for, how much they worked; both ends of a batch may lie outside. */
function utilizationOf(moments: readonly Moment[]): number | undefined {
  let replicaMs = 0
  moments.slice(1).forEach(({ atMs, stage }, index) => {
    const before = moments[index] as Moment
    replicaMs += ((stage.replicas + before.stage.replicas) / 2) * (atMs - before.atMs)
  })
  if (replicaMs === 0) return undefined
  const busyMs = (moments.at(-1)?.stage.busyMs ?? 0) - (moments[0]?.stage.busyMs ?? 0)
  return Math.min(1, Math.max(0, busyMs / replicaMs))
}

function sumOf({ count, mean }: { readonly count: number; readonly mean: number }): number {
  return count * mean
}
