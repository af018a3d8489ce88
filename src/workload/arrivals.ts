import { describe } from '../check.ts'

/** What a trace is made of, wherever it comes from. */
export interface Arrivals {
  /** Milliseconds from the start: finite, not negative, ascending; at least one. */
  readonly arrivalsMs: Float64Array
  /** Anything JSON holds. */
  readonly meta: Readonly<Record<string, unknown>>
}

/** What is wrong with an arrival after another (0 before the first), for a message; undefined if nothing is. */
export function arrivalFault(value: unknown, beforeMs: number): string | undefined {
  if (typeof value === 'number' && value >= beforeMs && value < Number.POSITIVE_INFINITY) return
  if (typeof value !== 'number' || !Number.isFinite(value)) {
    return `expected a finite number of milliseconds, got ${describe(value)}; leave out what is no arrival`
  }
  if (value < 0) {
    return `expected at least 0, got ${describe(value)}; arrivals count from the start of the trace`
  }
  return `expected at least ${beforeMs}, the arrival before it, got ${describe(value)}; sort the arrivals`
}

/** What is wrong with the `durationMs` that a meta may have, for a message; undefined if nothing is. */
export function durationFault({ arrivalsMs, meta }: Arrivals): string | undefined {
  const { durationMs } = meta
  const lastMs = arrivalsMs.at(-1) ?? 0
  if (durationMs === undefined) return
  if (typeof durationMs === 'number' && durationMs >= lastMs && Number.isFinite(durationMs)) return
  return `expected a finite number of at least ${lastMs}, the last arrival, got ${describe(durationMs)}; correct it, or leave it out`
}
