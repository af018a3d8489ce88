import { checkNumber } from '../check.ts'

/** The most arrivals in any window of a length. */
export interface EnvelopePoint {
  /** Length of the window. */
  readonly windowMs: number
  /** How many requests arrived in the fullest of them. */
  readonly arrivals: number
}

/** The longest window of an envelope (InferLine, section 5). */
const longestWindowMs = 60_000

// 0.1 + 0.2 is more than 0.3: arrivals this much less than a window apart are a whole window apart.
const roundingMs = 1e-6

/**
 * Lengths in milliseconds of the windows of an envelope: each twice the one before, up to one minute, which is always the
 * last ("InferLine", SoCC 2020, section 5, which begins with the service time of the pipeline).
 *
 * @param firstWindowMs Milliseconds of the shortest, at least 0.001.
 * @throws {MillraceError} MILLRACE_INVALID_OPTION
 */
export function envelopeWindowsMs(firstWindowMs: number): readonly number[] {
  checkNumber(firstWindowMs, { name: 'firstWindowMs', min: 0.001 })
  const windowsMs: number[] = []
  for (let windowMs = firstWindowMs; windowMs < longestWindowMs; windowMs *= 2) {
    windowsMs.push(windowMs)
  }
  return [...windowsMs, longestWindowMs]
}

/**
 * The traffic envelope (InferLine, section 5), exactly: windows begin anywhere and do not hold their end. One pass for each
 * window.
 */
export function envelope(
  arrivalsMs: Float64Array,
  windowsMs: readonly number[],
): readonly EnvelopePoint[] {
  return windowsMs.map((windowMs) => ({ windowMs, arrivals: mostWithin(arrivalsMs, windowMs) }))
}

// A window with the most arrivals may as well begin with one of them.
function mostWithin(arrivalsMs: Float64Array, windowMs: number): number {
  const reachMs = windowMs - roundingMs
  let oldest = 0
  let most = 0
  for (let newest = 0; newest < arrivalsMs.length; newest++) {
    const newestMs = arrivalsMs[newest] as number
    while (oldest < newest && newestMs - (arrivalsMs[oldest] as number) >= reachMs) oldest++
    most = Math.max(most, newest - oldest + 1)
  }
  return most
}
