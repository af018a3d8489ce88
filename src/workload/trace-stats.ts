/** What there is to say of a trace. What the trace is too short for is null. */
export interface TraceStats {
  /** How many there are. */
  readonly requests: number
  /** Milliseconds that it lasts. */
  readonly durationMs: number
  /** Requests per second; null where all arrive at time 0. */
  readonly ratePerS: number | null
  /**
   * Squared coefficient of variation of the gaps between arrivals, in which a changing rate has its part; null with
   * fewer than two gaps, or where all are 0.
   */
  readonly cv2: number | null
  /**
   * Index of dispersion of counts: variance over mean of the arrivals in windows one after the other. About 1 for Poisson
   * arrivals, towards cv2 for long windows of a renewal process; null with fewer than two whole windows.
   */
  readonly dispersion: {
    /** Ratio in windows of one second; null with fewer than two. */
    readonly at1s: number | null
    /** Ratio in windows of ten seconds; null with fewer than two. */
    readonly at10s: number | null
    /** Ratio in windows of a minute; null with fewer than two. */
    readonly at60s: number | null
  }
  /** The most arrivals in any of these windows over their mean; null with fewer than two whole windows. */
  readonly peakToMean: {
    /** Ratio in windows of one second; null with fewer than two. */
    readonly at1s: number | null
    /** Ratio in windows of a minute; null with fewer than two. */
    readonly at60s: number | null
  }
}

interface Counts {
  readonly dispersion: number | null
  readonly peakToMean: number | null
}

const unknownCounts: Counts = { dispersion: null, peakToMean: null }

/** Variances are those of a sample: over one less than there are. Windows count from 0; a last one in part does not. */
export function traceStats(arrivalsMs: Float64Array, durationMs: number): TraceStats {
  const at = (windowMs: number): Counts => countsOf(arrivalsMs, { windowMs, durationMs })
  const [at1s, at10s, at60s] = [at(1_000), at(10_000), at(60_000)]
  return {
    requests: arrivalsMs.length,
    durationMs,
    ratePerS: durationMs > 0 ? (arrivalsMs.length / durationMs) * 1000 : null,
    cv2: gapCv2(arrivalsMs),
    dispersion: { at1s: at1s.dispersion, at10s: at10s.dispersion, at60s: at60s.dispersion },
    peakToMean: { at1s: at1s.peakToMean, at60s: at60s.peakToMean },
  }
}

function gapCv2(arrivalsMs: Float64Array): number | null {
  const gaps = arrivalsMs.length - 1
  if (gaps < 2) return null
  const mean = ((arrivalsMs[gaps] as number) - (arrivalsMs[0] as number)) / gaps
  if (mean === 0) return null
  let squares = 0
  for (let index = 1; index <= gaps; index++) {
    const excess = (arrivalsMs[index] as number) - (arrivalsMs[index - 1] as number) - mean
    squares += excess * excess
  }
  return squares / (gaps - 1) / (mean * mean)
}

// Without a place for each window: timestamps of the day would make too many.
function countsOf(
  arrivalsMs: Float64Array,
  { windowMs, durationMs }: { readonly windowMs: number; readonly durationMs: number },
): Counts {
  const windows = Math.floor(durationMs / windowMs)
  let [total, squares, peak, count, current] = [0, 0, 0, 0, 0]
  const close = (): void => {
    total += count
    squares += count * count
    peak = Math.max(peak, count)
    count = 0
  }
  for (const arrivalMs of arrivalsMs) {
    const window = Math.floor(arrivalMs / windowMs)
    if (window >= windows) break
    if (window !== current) close()
    current = window
    count++
  }
  close()
  if (windows < 2 || total === 0) return unknownCounts
  const mean = total / windows
  const variance = Math.max(0, squares - total * mean) / (windows - 1)
  return { dispersion: variance / mean, peakToMean: peak / mean }
}
