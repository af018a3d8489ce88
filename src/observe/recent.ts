import type { Histogram, HistogramBounds } from '../engine/histograms.ts'
import type { Distribution } from '../engine/stats.ts'
import type { LiveDistribution } from './live-snapshot.ts'

/** Eight bounds to each doubling: what lies between two is known to within 9 %, and mostly far better. */
const boundsPerOctave = 8
const lowestMs = 0.01
const octaves = 23 // up to 84 s

const boundsMs = Array.from({ length: octaves * boundsPerOctave + 1 }, (_, at) => {
  return lowestMs * 2 ** (at / boundsPerOctave)
})

/** What an engine is asked to count by, so that {@link recentOf} can tell quantiles. */
export const recentBounds: HistogramBounds = {
  latencyMs: boundsMs,
  stageMs: boundsMs,
  batchRows: [],
}

/** What was counted between two readings; undefined where nothing was. Pure. */
export function recentOf(before: Histogram, now: Histogram): LiveDistribution | undefined {
  const count = now.count - before.count
  if (count <= 0) return undefined
  const upTo = now.upTo.map((value, index) => value - (before.upTo[index] ?? 0))
  const quantile = (share: number) => quantileOf(upTo, share * count)
  return {
    count,
    meanMs: Math.max(0, now.sum - before.sum) / count,
    p50Ms: quantile(0.5),
    p95Ms: quantile(0.95),
    p99Ms: quantile(0.99),
  }
}

/** Below which so many values lie; within the bounds around it, values are taken to lie evenly. */
function quantileOf(upTo: readonly number[], rank: number): number {
  const index = upTo.findIndex((count) => count >= rank)
  if (index < 0) return boundsMs.at(-1) ?? 0
  const [low, high] = [boundsMs[index - 1] ?? 0, boundsMs[index] ?? 0]
  const below = upTo[index - 1] ?? 0
  const inside = (upTo[index] ?? 0) - below
  return inside <= 0 ? high : low + ((high - low) * (rank - below)) / inside
}

/** What was counted since the start, in the names of a snapshot; undefined where nothing was. */
export function sinceStart({
  count,
  mean,
  p50,
  p95,
  p99,
}: Distribution): LiveDistribution | undefined {
  if (count === 0) return undefined
  return { count, meanMs: mean, p50Ms: p50, p95Ms: p95, p99Ms: p99 }
}
