/** The rate at a moment. */
export interface RatePoint {
  /** Milliseconds from the start. */
  readonly atMs: number
  /** Requests per second, at least 0. */
  readonly ratePerS: number
}

interface Segment {
  readonly startMs: number
  readonly lengthMs: number
  readonly startPerMs: number
  readonly slopePerMs2: number
  /** Expected requests before it. */
  readonly before: number
  /** Expected requests up to its end. */
  readonly upTo: number
}

/**
 * A rate that changes: straight lines between points, of which two at the same time are a step. Level before the first
 * and after the last.
 */
export class RateCurve {
  readonly durationMs: number
  /** Expected requests in all. */
  readonly requests: number
  readonly #segments: readonly Segment[]

  /** The points in ascending order, at least one. */
  constructor(points: readonly RatePoint[], durationMs: number) {
    this.durationMs = durationMs
    this.#segments = segmentsOf(points, durationMs)
    this.requests = this.#segments.at(-1)?.upTo ?? 0
  }

  /**
   * The time by which so many requests are expected, for numbers that ascend from call to call: the inverse of the
   * integral of the rate.
   */
  walk(): (requests: number) => number {
    const segments = this.#segments
    let index = 0
    return (requests) => {
      let segment = segments[index] as Segment
      while (requests > segment.upTo && index + 1 < segments.length) {
        index++
        segment = segments[index] as Segment
      }
      return Math.min(timeWithin(segment, requests - segment.before), this.durationMs)
    }
  }
}

// Solves slope/2 t^2 + rate t = requests, in the form that loses no digits where the slope is small.
function timeWithin(segment: Segment, requests: number): number {
  const { startMs, lengthMs, startPerMs, slopePerMs2 } = segment
  if (requests <= 0) return startMs
  const endPerMs = Math.sqrt(Math.max(0, startPerMs * startPerMs + 2 * slopePerMs2 * requests))
  return startMs + Math.min(lengthMs, (2 * requests) / (startPerMs + endPerMs))
}

function segmentsOf(points: readonly RatePoint[], durationMs: number): readonly Segment[] {
  const segments: Segment[] = []
  let before = 0
  const add = (from: RatePoint, to: RatePoint): void => {
    const endMs = Math.min(to.atMs, durationMs)
    const lengthMs = endMs - from.atMs
    if (!(lengthMs > 0)) return
    const startPerMs = from.ratePerS / 1000
    const slopePerMs2 = (to.ratePerS / 1000 - startPerMs) / (to.atMs - from.atMs)
    const upTo = before + lengthMs * (startPerMs + (slopePerMs2 * lengthMs) / 2)
    segments.push({ startMs: from.atMs, lengthMs, startPerMs, slopePerMs2, before, upTo })
    before = upTo
  }
  const first = points[0] as RatePoint
  let last: RatePoint = { atMs: 0, ratePerS: first.ratePerS }
  for (const point of points) {
    add(last, point)
    last = point
  }
  add(last, { atMs: durationMs, ratePerS: last.ratePerS })
  return segments
}
