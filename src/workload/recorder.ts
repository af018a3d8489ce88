import { checkInteger, checkNumber, checkObject } from '../check.ts'
import { MillraceError } from '../errors.ts'
import { wholeMicroseconds } from './gamma-arrivals.ts'
import { Trace } from './trace.ts'

export interface ArrivalRecorderOptions {
  /**
   * How many of the latest arrivals are kept, from 1 to 100,000,000, at 8 bytes each; memory grows as they come. Default
   * 1,000,000.
   */
  readonly maxArrivals?: number | undefined
  /** When recording begins, on the clock of `record`, in milliseconds. Default: the first arrival. */
  readonly startMs?: number | undefined
}

export interface RecordedTraceOptions {
  /** When recording ends, on the clock of `record`, in milliseconds. Default: the last arrival. */
  readonly endMs?: number | undefined
}

const defaultArrivals = 1_000_000
const mostArrivals = 100_000_000
const firstRoom = 1024

/**
 * Keeps when requests arrive, to make a trace of them: the latest, where there are more than it may keep. Nothing is
 * allocated per arrival.
 */
export class ArrivalRecorder {
  readonly #maxArrivals: number
  readonly #startMs: number | undefined
  // A ring once it is full: the oldest is then at `#next`.
  #timesMs: Float64Array
  #next = 0
  #recorded = 0
  #lastMs = Number.NEGATIVE_INFINITY

  /** @throws {MillraceError} MILLRACE_INVALID_OPTION */
  constructor(options: ArrivalRecorderOptions = {}) {
    const keys = ['maxArrivals', 'startMs'] as const
    const given = checkObject(options, { name: 'recorder options', keys })
    const { maxArrivals = defaultArrivals, startMs } = given
    const limit = { name: 'maxArrivals', min: 1, max: mostArrivals }
    this.#maxArrivals = checkInteger(maxArrivals, limit)
    this.#startMs = startMs === undefined ? undefined : checkNumber(startMs, { name: 'startMs' })
    this.#lastMs = this.#startMs ?? this.#lastMs
    this.#timesMs = new Float64Array(Math.min(firstRoom, this.#maxArrivals))
  }

  /** How many arrivals there were. */
  get recorded(): number {
    return this.#recorded
  }

  /** How many of them are not kept any more. */
  get dropped(): number {
    return Math.max(0, this.#recorded - this.#maxArrivals)
  }

  /**
   * One arrival, on any clock that does not go back, in milliseconds. One that is told after a later one counts as
   * arriving with it; anything but a finite number is left out. Never throws.
   */
  record(nowMs: number): void {
    if (!Number.isFinite(nowMs)) return
    if (nowMs > this.#lastMs) this.#lastMs = nowMs
    if (this.#next === this.#timesMs.length) this.#makeRoom()
    this.#timesMs[this.#next++] = this.#lastMs
    this.#recorded++
  }

  /**
   * What was recorded, from the start, or from the oldest arrival that is kept where others were dropped. Recording may
   * go on.
   *
   * @throws {MillraceError} MILLRACE_INVALID_OPTION where nothing was recorded
   */
  toTrace(options: RecordedTraceOptions = {}): Trace {
    const given = checkObject(options, { name: 'recorded trace options', keys: ['endMs'] })
    const timesMs = this.#inOrder()
    if (timesMs.length === 0) throw nothingRecorded()
    const oldestMs = timesMs[0] as number
    const startMs = this.dropped > 0 ? oldestMs : (this.#startMs ?? oldestMs)
    const { endMs = this.#lastMs } = given
    const end = { name: 'endMs', min: this.#lastMs, fix: 'give a time after the last arrival' }
    const durationMs = wholeMicroseconds(checkNumber(endMs, end) - startMs)
    return new Trace({
      arrivalsMs: timesMs.map((timeMs) => wholeMicroseconds(timeMs - startMs)),
      meta: { process: 'recorded', durationMs, dropped: this.dropped },
    })
  }

  #inOrder(): Float64Array {
    if (this.#recorded <= this.#timesMs.length) return this.#timesMs.slice(0, this.#recorded)
    const ordered = new Float64Array(this.#timesMs.length)
    ordered.set(this.#timesMs.subarray(this.#next))
    ordered.set(this.#timesMs.subarray(0, this.#next), this.#timesMs.length - this.#next)
    return ordered
  }

  #makeRoom(): void {
    if (this.#timesMs.length === this.#maxArrivals) {
      this.#next = 0
      return
    }
    const larger = new Float64Array(Math.min(this.#maxArrivals, 2 * this.#timesMs.length))
    larger.set(this.#timesMs)
    this.#timesMs = larger
  }
}

function nothingRecorded(): MillraceError {
  return new MillraceError({
    code: 'MILLRACE_INVALID_OPTION',
    message: 'toTrace: expected at least one recorded arrival, got none; record some first',
  })
}
