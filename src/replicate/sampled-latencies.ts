import type { SimulatedRun } from '../estimator/simulated-run.ts'

/** Of the requests that were finished, or were late without being finished, in a window of time. */
export interface WindowLatency {
  /** The least of some latencies that 99 % did not exceed; the greatest of them where more did. */
  readonly p99Ms: number
  /** Share within the objective. */
  readonly attainment: number
}

/** As parts of the objective: a run can only be asked how many were later than a limit. */
const limits = [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.15, 1.35, 1.7, 2.5, 5, 10, 20, 50]

/** Latencies of a run, window by window. */
export class SampledLatencies {
  readonly #run: SimulatedRun
  readonly #latencyMs: number
  #lateBefore: readonly number[] = limits.map(() => 0)
  #arrivedBefore = 0

  constructor({ run, latencyMs }: { readonly run: SimulatedRun; readonly latencyMs: number }) {
    this.#run = run
    this.#latencyMs = latencyMs
  }

  /** The window from the last call (or the beginning) to now. */
  next(): WindowLatency {
    const stats = limits.map((part) => this.#run.stats({ latencyMs: part * this.#latencyMs }))
    const late = stats.map((each) => each.late)
    const arrived = stats[0]?.arrived ?? 0
    const requests = Math.max(1, arrived - this.#arrivedBefore)
    const lately = late.map((count, at) => count - (this.#lateBefore[at] ?? 0))
    this.#lateBefore = late
    this.#arrivedBefore = arrived
    const at = lately.findIndex((count) => count <= 0.01 * requests)
    const part = limits[at < 0 ? limits.length - 1 : at] ?? 1
    const inTime = 1 - (lately[limits.indexOf(1)] ?? 0) / requests
    return { p99Ms: part * this.#latencyMs, attainment: Math.max(0, inTime) }
  }
}
