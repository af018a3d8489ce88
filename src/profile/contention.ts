import { round } from './points.ts'
import type { ContentionPoint } from './profile.ts'

/** Mean service time with so many threads busy, of several rounds. */
export interface BusyService {
  readonly busyThreads: number
  readonly roundsMs: readonly number[]
}

/** How many replicas of a device to keep busy. */
export const replicaCounts: readonly number[] = [1, 2, 4]

/** How many threads to keep busy: up to twice the cores, each number up to 4 and then by half again; ascending. Pure. */
export function threadCounts(cores: number): readonly number[] {
  const counts = new Set([cores, 2 * cores])
  for (let count = 1; count < 2 * cores; count = count < 4 ? count + 1 : Math.ceil(count * 1.5)) {
    counts.add(count)
  }
  return [...counts].sort((a, b) => a - b)
}

/**
 * Slowdowns, relative to one thread: by the quickest round of each, since what else runs on the machine only adds; at
 * least 1, and never less with more threads. `measured` is ascending and begins with one thread.
 */
export function toContention(measured: readonly BusyService[]): readonly ContentionPoint[] {
  const aloneMs = Math.min(...(measured[0]?.roundsMs ?? []))
  let slowdown = 1
  return measured.map(({ busyThreads, roundsMs }) => {
    slowdown = Math.max(slowdown, round(Math.min(...roundsMs) / aloneMs))
    return { busyThreads, slowdown }
  })
}
