import { GrowingTimes } from './growing-times.ts'
import type { Random } from './random.ts'
import type { RateCurve } from './rate-curve.ts'

export interface GammaArrivalsOptions {
  readonly curve: RateCurve
  /** Squared coefficient of variation of the gaps; 0 for even ones. */
  readonly cv2: number
  readonly random: Random
}

/**
 * A gamma renewal process of rate 1 ("InferLine", SoCC 2020, section 6), on a clock that runs as fast as the rate says: gaps
 * have shape 1/cv2 and scale cv2, and a burst stays a burst however the rate changes. Ascending, before the curve's end, in
 * whole microseconds.
 */
export function gammaArrivals(options: GammaArrivalsOptions): Float64Array {
  const { curve, cv2, random } = options
  const timeOf = curve.walk()
  const times = new GrowingTimes(curve.requests + 6 * Math.sqrt(curve.requests * Math.max(1, cv2)))
  let lastMs = 0
  for (
    let requests = firstGap(cv2, random);
    requests < curve.requests;
    requests += gap(cv2, random)
  ) {
    // Rounding must not turn two of them around.
    lastMs = Math.max(lastMs, wholeMicroseconds(timeOf(requests)))
    times.push(lastMs)
  }
  return times.view()
}

/** Down to a whole microsecond: short in files, and never beyond an end. */
export function wholeMicroseconds(timeMs: number): number {
  return Math.floor(timeMs * 1000) / 1000
}

function gap(cv2: number, random: Random): number {
  return cv2 === 0 ? 1 : cv2 * random.gamma(1 / cv2)
}

// As of a process that has been running forever: a uniform part of a gap chosen by its length, whose density is that of a
// gamma of one more. Otherwise a bursty trace would begin with a burst: (cv2 - 1) / 2 requests more than its rate says.
function firstGap(cv2: number, random: Random): number {
  return random.uniform() * (cv2 === 0 ? 1 : cv2 * random.gamma(1 / cv2 + 1))
}
