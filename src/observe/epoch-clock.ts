/** Whole seconds, and nanoseconds below one: as `process.hrtime()` and OpenTelemetry have it. */
export type HrTime = [seconds: number, nanoseconds: number]

const nanosPerSecond = 1_000_000_000
const nanosPerMs = 1_000_000
/** Whoever else makes spans has whole milliseconds of the time of day: what differs less is no other time. */
const mostDriftMs = 5

/**
 * Puts moments of the monotonic clock at the time of day: all of them by the same difference, in whole nanoseconds, so
 * that what came before stays before. Only where the time of day was set is another difference taken, by `resync`.
 */
export class EpochClock {
  readonly #monotonic: () => HrTime
  readonly #epochMs: () => number
  #offset: HrTime

  constructor(
    monotonic: () => HrTime = () => process.hrtime(),
    epochMs: () => number = () => Date.now(),
  ) {
    this.#monotonic = monotonic
    this.#epochMs = epochMs
    this.#offset = this.#measure()
  }

  /** To be called now and then; returns the difference to be used for what belongs together. */
  resync(): HrTime {
    const [seconds, nanoseconds] = addTimes(this.#monotonic(), this.#offset)
    const wrongMs = this.#epochMs() - (seconds * 1000 + nanoseconds / nanosPerMs)
    if (Math.abs(wrongMs) > mostDriftMs) this.#offset = this.#measure()
    return this.#offset
  }

  #measure(): HrTime {
    const now = this.#monotonic()
    const ms = this.#epochMs()
    const seconds = Math.floor(ms / 1000)
    return addTimes([seconds, Math.round((ms - seconds * 1000) * nanosPerMs)], [-now[0], -now[1]])
  }
}

/** Their sum, with nanoseconds from 0 to a second. */
export function addTimes(one: HrTime, other: HrTime): HrTime {
  return addNanos([one[0] + other[0], one[1]], other[1])
}

export function addNanos([seconds, nanoseconds]: HrTime, nanos: number): HrTime {
  const all = nanoseconds + nanos
  const carry = Math.floor(all / nanosPerSecond)
  return [seconds + carry, all - carry * nanosPerSecond]
}
