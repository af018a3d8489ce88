// For each window a ring of counters, of which one is filled:
//
//     | 3 | 0 | 5 | 2 | 4 |     `total` is their sum
//               ^ the bucket of now; the one after it is the oldest
//
// All buckets are whole numbers of the shortest window's, so that within one of those an arrival is one addition and one
// comparison: it raises all totals alike, and `slack` is how many they can take before one is over its limit.

/** Buckets of a window: what lies in the oldest of them may be missed. */
export const bucketsPerWindow = 32

interface Ring {
  /** Buckets of the shortest window that one of this holds. */
  readonly stride: number
  readonly counts: Float64Array
  /** The bucket that is filled, counted from the beginning. */
  bucket: number
  total: number
  /** The most since {@link LiveEnvelope.takePeaks}. */
  peak: number
  limit: number
}

/**
 * How many requests arrived in windows of several lengths that end now. Constant memory, and constant time for each arrival,
 * however many there were. A count is never above what arrived within the window, and holds all of the last 1 - 2 / 32 of
 * it (1 - 1 / 32 where the window is a whole number of times as long as the shortest). Times must not go back.
 */
export class LiveEnvelope {
  readonly #bucketMs: number
  readonly #rings: readonly Ring[]
  #bucket = 0
  #bucketEndMs: number
  /** In the bucket of now, not yet in the rings. */
  #arrived = 0
  /** How many may arrive in the bucket of now. */
  #slack = Number.POSITIVE_INFINITY

  /** @param windowsMs Ascending, above 0. Times count from 0. */
  constructor(windowsMs: readonly number[]) {
    this.#bucketMs = (windowsMs[0] ?? 1) / bucketsPerWindow
    this.#bucketEndMs = this.#bucketMs
    this.#rings = windowsMs.map((windowMs) => ringOf(windowMs / this.#bucketMs))
  }

  /** One arrives. Whether a window now holds more than its limit. */
  add(nowMs: number): boolean {
    if (nowMs >= this.#bucketEndMs) this.advance(nowMs)
    return ++this.#arrived > this.#slack
  }

  /** It is then. */
  advance(nowMs: number): void {
    this.#flush()
    this.#bucket = Math.max(this.#bucket, Math.floor(nowMs / this.#bucketMs))
    this.#bucketEndMs = (this.#bucket + 1) * this.#bucketMs
    for (const ring of this.#rings) roll(ring, Math.floor(this.#bucket / ring.stride))
    this.#measureSlack()
  }

  /** Arrivals in each window, in the order of the windows. */
  counts(): readonly number[] {
    return this.#rings.map(({ total }) => total + this.#arrived)
  }

  /** The most in each window since this was asked before. */
  takePeaks(): readonly number[] {
    this.#flush()
    this.#measureSlack()
    return this.#rings.map((ring) => {
      const { peak } = ring
      ring.peak = ring.total
      return peak
    })
  }

  /** How many each window may hold before {@link add} says so. */
  setLimits(limits: readonly number[]): void {
    this.#flush()
    for (const [at, ring] of this.#rings.entries()) ring.limit = limits[at] ?? ring.limit
    this.#measureSlack()
  }

  #flush(): void {
    const arrived = this.#arrived
    if (arrived === 0) return
    for (const ring of this.#rings) {
      const at = ring.bucket % ring.counts.length
      ring.counts[at] = (ring.counts[at] as number) + arrived
      ring.total += arrived
      ring.peak = Math.max(ring.peak, ring.total)
    }
    this.#arrived = 0
  }

  #measureSlack(): void {
    let slack = Number.POSITIVE_INFINITY
    for (const { limit, total } of this.#rings) slack = Math.min(slack, limit - total)
    this.#slack = slack
  }
}

// Together no longer than the window, so that nothing older is counted.
function ringOf(shortBuckets: number): Ring {
  const stride = Math.max(1, Math.round(shortBuckets / bucketsPerWindow))
  const buckets = Math.max(1, Math.floor(shortBuckets / stride + rounding))
  const counts = new Float64Array(buckets)
  return { stride, counts, bucket: 0, total: 0, peak: 0, limit: Number.POSITIVE_INFINITY }
}

function roll(ring: Ring, bucket: number): void {
  const { counts } = ring
  const steps = Math.min(bucket - ring.bucket, counts.length)
  for (let step = 0; step < steps; step++) {
    const at = (bucket - step) % counts.length
    ring.total -= counts[at] as number
    counts[at] = 0
  }
  ring.bucket = bucket
}

const rounding = 1e-9
