import type { LiveEngine, LivePoint } from '../../observe/live-snapshot.ts'

/** Milliseconds that points are kept for; a little more than is drawn. */
const keptMs = 5.2 * 60_000

/** What of a snapshot the charts draw. */
export function pointOf({ ratePerS, latency: { recent } }: LiveEngine, atMs: number): LivePoint {
  return { atMs, ratePerS, p50Ms: recent?.p50Ms, p95Ms: recent?.p95Ms, p99Ms: recent?.p99Ms }
}

/** Both, each moment once, oldest first, without what is too old. Pure. */
export function mergePoints(
  kept: readonly LivePoint[],
  added: readonly LivePoint[],
): readonly LivePoint[] {
  const byTime = new Map([...kept, ...added].map((point) => [Math.round(point.atMs), point]))
  const all = [...byTime.values()].sort((one, other) => one.atMs - other.atMs)
  const from = (all.at(-1)?.atMs ?? 0) - keptMs
  return all.filter(({ atMs }) => atMs >= from)
}
