// Arrivals are counted once, for all windows. For each window a ring remembers what the count was when each of its buckets
// began; what the window holds is the count of now less that of its oldest bucket:
//
//     | 30 | 34 | 41 | 21 | 26 |     counted by now: 45, so the window holds 24
//                  ^ now ^ oldest
//
// All buckets are whole numbers of the shortest window's. An arrival is one addition and one comparison, with `ceiling`, the
// least count at which a window is at its limit; the rings are touched only when their own buckets end.

/** Buckets of a window: what lies in the oldest of them may be missed. */
export const bucketsPerWindow = 32

interface Ring {
  /** Buckets of the shortest window that one of this holds. */
  readonly stride: number
  /** By bucket, modulo their number: the count when it began. */
  readonly begins: Float64Array
  /** The bucket of now, counted from the beginning. */
  bucket: number
  /** The count when the oldest bucket began. */
  before: number
  /** The most since {@link LiveEnvelope.takePeaks}. */
  peak: number
  limit: number
  /** Of this and all longer windows: the next bucket of the shortest window with which one of theirs begins. */
  next: number
  /** Of this and all longer windows: the count at which the first of them is at its limit. */
  ceiling: number
}

/**
 * How many requests arrived in windows of several lengths that end now. Constant memory, and constant time for each arrival,
 * however many there were. A count is never above what arrived within the window, and holds all of the last 1 - 2 / 32 of
 * it (1 - 1 / 32 where the window is a whole number of times as long as the shortest). Times must not go back.
 */
export class LiveEnvelope {
  readonly #bucketMs: number
  readonly #rings: readonly Ring[]
  #bucketEndMs: number
  #counted = 0
  #ceiling = Number.POSITIVE_INFINITY

  /** @param windowsMs Ascending, above 0. Times count from 0. */
  constructor(windowsMs: readonly number[]) {
    this.#bucketMs = (windowsMs[0] ?? 1) / bucketsPerWindow
    this.#bucketEndMs = this.#bucketMs
    this.#rings = windowsMs.map((windowMs) => ringOf(windowMs / this.#bucketMs))
    this.#lookAhead(this.#rings.length)
  }

  /** One arrives. Whether a window now holds more than its limit. */
  add(nowMs: number): boolean {
    if (nowMs >= this.#bucketEndMs) this.advance(nowMs)
    return ++this.#counted > this.#ceiling
  }

  /** How many more may arrive before a window holds more than its limit; negative where one does. */
  get slack(): number {
    return this.#ceiling - this.#counted
  }

  /** Others arrived together with the one before. */
  addMore(arrivals: number): void {
    this.#counted += arrivals
  }

  /** It is then. */
  advance(nowMs: number): void {
    if (nowMs < this.#bucketEndMs) return
    const bucket = Math.floor(nowMs / this.#bucketMs)
    this.#bucketEndMs = (bucket + 1) * this.#bucketMs
    let touched = 0
    for (const ring of this.#rings) {
      if (bucket < ring.next) break
      roll(ring, { bucket: Math.floor(bucket / ring.stride), counted: this.#counted })
      touched++
    }
    this.#lookAhead(touched)
  }

  /** Arrivals since the beginning. */
  get total(): number {
    return this.#counted
  }

  /** Arrivals in each window, in the order of the windows. */
  counts(): readonly number[] {
    return this.#rings.map(({ before }) => this.#counted - before)
  }

  /** The most in each window since this was asked before. */
  takePeaks(): readonly number[] {
    return this.#rings.map((ring) => {
      const held = this.#counted - ring.before
      const peak = Math.max(ring.peak, held)
      ring.peak = held
      return peak
    })
  }

  /** How many each window may hold before {@link add} says so. */
  setLimits(limits: readonly number[]): void {
    for (const [at, ring] of this.#rings.entries()) ring.limit = limits[at] ?? ring.limit
    this.#lookAhead(this.#rings.length)
  }

  /** Works out anew what is to come for the first rings, those that changed. */
  #lookAhead(changed: number): void {
    for (let at = changed - 1; at >= 0; at--) {
      const ring = this.#rings[at] as Ring // within its length
      const longer = this.#rings[at + 1]
      const next = (ring.bucket + 1) * ring.stride
      const ceiling = ring.before + ring.limit
      ring.next = longer === undefined ? next : Math.min(next, longer.next)
      ring.ceiling = longer === undefined ? ceiling : Math.min(ceiling, longer.ceiling)
    }
    this.#ceiling = this.#rings[0]?.ceiling ?? Number.POSITIVE_INFINITY
  }
}

// Together no longer than the window, so that nothing older is counted.
function ringOf(shortBuckets: number): Ring {
  const stride = Math.max(1, Math.round(shortBuckets / bucketsPerWindow))
  const begins = new Float64Array(Math.max(1, Math.floor(shortBuckets / stride + rounding)))
  const limit = Number.POSITIVE_INFINITY
  return { stride, begins, bucket: 0, before: 0, peak: 0, limit, next: 0, ceiling: limit }
}

function roll(
  ring: Ring,
  { bucket, counted }: { readonly bucket: number; readonly counted: number },
): void {
  const { begins } = ring
  const begun = Math.min(bucket - ring.bucket, begins.length)
  if (begun <= 0) return
  ring.peak = Math.max(ring.peak, counted - ring.before)
  for (let back = 0; back < begun; back++) begins[(bucket - back) % begins.length] = counted
  ring.bucket = bucket
  ring.before = begins[(bucket + 1) % begins.length] as number // it is within its length
}

const rounding = 1e-9
