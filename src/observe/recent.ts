import type { Distribution } from '../engine/stats.ts'
import type { LiveDistribution } from './live-snapshot.ts'

/** What was counted between two readings; undefined where nothing was. Pure. */
export function recentOf(before: Distribution, now: Distribution): LiveDistribution | undefined {
  const count = now.count - before.count
  if (count <= 0) return undefined
  const meanMs = (now.count * now.mean - before.count * before.mean) / count
  return { count, meanMs, p50Ms: now.p50, p95Ms: now.p95, p99Ms: now.p99 }
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
