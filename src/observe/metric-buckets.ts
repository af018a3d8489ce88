import type { HistogramBounds } from '../engine/histograms.ts'
import type { Objective } from '../pipeline/objective.ts'

// Closest around the promise, where one wants to know how far from it requests end; as shares of its latency.
const requestShares = [0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2, 3, 5]
const stageShares = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1, 2]

const requestMs = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000]
const stageMs = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 1_000]
const batchRows = [1, 2, 4, 8, 16, 32, 64, 128, 256]

/** Upper ends of the buckets that histograms are exported with, for the objective that there is. */
export function metricBuckets(
  objective: Pick<Objective, 'latencyMs'> | undefined,
): HistogramBounds {
  if (objective === undefined) return { latencyMs: requestMs, stageMs, batchRows }
  const of = (share: number) => tidy(objective.latencyMs * share)
  return { latencyMs: requestShares.map(of), stageMs: stageShares.map(of), batchRows }
}

/** Without the digits that come of binary fractions: labels are made from it. */
export function tidy(value: number): number {
  return Number(value.toPrecision(12))
}
