/**
 * When requests are meant to start, drawn before the first one is sent: a slow system cannot talk the
 * generator into asking less of it.
 */
import { SeededRandom } from '../models/seeded-random.ts'

export type ArrivalOptions = {
  /** Mean arrivals a second; above 0. */
  ratePerS: number
  /** Arrivals lie in [0, durationMs). */
  durationMs: number
  seed: number
  /** `uniform` has constant gaps; `poisson` random ones, by gamma renewal (exponential at cv2 1). */
  arrivals: 'poisson' | 'uniform'
  /** Squared coefficient of variation of the gaps, for `poisson`; above 0, 1 when absent. */
  cv2?: number
}

/** Ascending times in milliseconds from the start of the run. */
export function drawArrivalsMs(options: ArrivalOptions): Float64Array {
  const { ratePerS, durationMs, cv2 = 1 } = options
  requirePositive({ ratePerS, durationMs, cv2 })
  const meanGapMs = 1000 / ratePerS
  if (options.arrivals === 'uniform') {
    const count = Math.ceil(durationMs / meanGapMs)
    return Float64Array.from({ length: count }, (_, index) => index * meanGapMs)
  }
  const random = new SeededRandom(options.seed)
  const times: number[] = []
  const nextGapMs = () => random.gamma(1 / cv2) * cv2 * meanGapMs
  for (let at = nextGapMs(); at < durationMs; at += nextGapMs()) times.push(at)
  return Float64Array.from(times)
}

function requirePositive(values: Record<string, number>): void {
  for (const [name, value] of Object.entries(values)) {
    if (!(value > 0 && Number.isFinite(value))) {
      throw new RangeError(`${name} must be a finite number above 0, not ${value}`)
    }
  }
}
