// What serving costs beside service, out of latencies of requests that were sent one at a time.
import { median, round } from './points.ts'
import type { OverheadProfile } from './profile.ts'

/** A stage alone, batches of one row. */
export interface LoneOverhead {
  /** Latency less service time, of requests of one row, each sent a moment after the last was answered. */
  readonly idleMs: readonly number[]
  /** The same of requests of many rows, for each row: the replica goes from batch to batch. */
  readonly busyMs: readonly number[]
}

/** A request through the whole pipeline. */
export interface PathOverhead {
  /** Latency less the service times along the longest way. */
  readonly restMs: number
  /** Stages on that way. */
  readonly hops: number
}

/**
 * Solves latency = requestMs + hops x hopMs + service times. What a batch costs follows from requests of many rows, where
 * nothing is paid but batches; what a request costs is the rest, of requests through the whole pipeline, or through its
 * stages alone where there are none. Never below 0. Of rests the lower quartile: on a busy machine most wake-ups are late, and
 * how late says nothing of what is measured here.
 */
export function solveOverhead(given: {
  readonly stages: readonly LoneOverhead[]
  readonly paths: readonly PathOverhead[]
}): OverheadProfile {
  const hopMs = Math.max(0, medianOr0(given.stages.map(({ busyMs }) => median(busyMs))))
  const rests =
    given.paths.length > 0
      ? given.paths.map(({ restMs, hops }) => restMs - hops * hopMs)
      : given.stages.map(({ idleMs }) => lowerQuartile(idleMs) - hopMs)
  const requestMs = given.paths.length > 0 ? lowerQuartile(rests) : medianOr0(rests)
  return { requestMs: round(Math.max(0, requestMs)), hopMs: round(hopMs) }
}

/**
 * The way through stages that take longest one after the other; `stages` come after all they wait for.
 */
export function longestWay(
  stages: readonly { readonly name: string; readonly serviceMs: number }[],
  edges: readonly (readonly [from: string, to: string])[],
): { readonly serviceMs: number; readonly hops: number } {
  const ends = new Map<string, { serviceMs: number; hops: number }>()
  let longest = { serviceMs: 0, hops: 0 }
  for (const { name, serviceMs } of stages) {
    const before = edges.flatMap(([from, to]) => (to === name ? (ends.get(from) ?? []) : []))
    const latest = before.reduce((a, b) => (b.serviceMs > a.serviceMs ? b : a), {
      serviceMs: 0,
      hops: 0,
    })
    const end = { serviceMs: latest.serviceMs + serviceMs, hops: latest.hops + 1 }
    ends.set(name, end)
    if (end.serviceMs > longest.serviceMs) longest = end
  }
  return longest
}

function medianOr0(values: readonly number[]): number {
  return values.length === 0 ? 0 : median(values)
}

function lowerQuartile(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[(values.length - 1) >> 2] ?? 0
}
