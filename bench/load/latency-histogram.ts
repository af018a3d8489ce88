/** Latencies in microseconds to three digits, in plain JavaScript: 32-bit counts, no WebAssembly. */
import { build, type Histogram } from 'hdr-histogram-js'

/** Longer latencies are recorded as this one (17.9 minutes); the histogram throws beyond its range. */
const highestLatencyUs = 2 ** 30

export type LatencyHistogram = Histogram

export function newLatencyHistogram(): LatencyHistogram {
  return build({
    bitBucketSize: 32,
    autoResize: false,
    lowestDiscernibleValue: 1,
    highestTrackableValue: highestLatencyUs,
    numberOfSignificantValueDigits: 3,
    useWebAssembly: false,
  })
}

/** Latencies below 0 (a clock read twice in the wrong order) count as 0. */
export function recordLatencyMs(histogram: LatencyHistogram, latencyMs: number): void {
  const latencyUs = Math.round(latencyMs * 1000)
  histogram.recordValue(Math.min(Math.max(latencyUs, 0), highestLatencyUs))
}
