// Sends requests when they are meant to be sent, whether or not earlier ones were answered. Never blocks the event loop:
// one tick sends what was due when it began, and returns.

/** Timers wake to the millisecond: nearer than this the loop goes round with setImmediate, which takes its whole core. */
const pollWithinMs = 2
const lateAfterMs = 1

/** A request that was refused, or not answered. */
export const unsettledCode = 'UNSETTLED'

export interface OpenLoopOptions {
  /** Milliseconds from the start, ascending. */
  readonly arrivalsMs: ArrayLike<number>
  /** Starts request `index`, meant for `lateMs` ago. Must not throw. */
  readonly send: (index: number, lateMs: number) => Promise<unknown>
  /** Milliseconds to wait for answers after the last request was sent. */
  readonly drainTimeoutMs: number
}

/** What became of the requests of an open loop so far. */
export class OpenLoop {
  /** By request: from the intended start to the answer; NaN where there is none. */
  readonly latenciesMs: Float64Array
  /** Failed requests by the code of their error. */
  readonly failed: Record<string, number> = {}
  /** When the last request was settled, from the start. */
  lastSettledMs = 0
  /** Requests sent more than 1 ms after they were meant to be. */
  sentLate = 0
  sent = 0
  settled = 0

  readonly #options: OpenLoopOptions
  #resolve: () => void = () => {}
  #reject: (reason: unknown) => void = () => {}
  #startMs = 0
  #isDone = false
  #drainTimer: NodeJS.Timeout | undefined

  constructor(options: OpenLoopOptions) {
    this.#options = options
    this.latenciesMs = new Float64Array(options.arrivalsMs.length).fill(Number.NaN)
  }

  /** Fulfils when all are settled, or the time for that is over; rejects when stopped. Once only. */
  run(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
      this.#startMs = performance.now()
      this.#tick()
    })
  }

  /** Sends nothing more, and has {@link run} reject. */
  stop(reason: unknown): void {
    this.#end()
    this.#reject(reason)
  }

  readonly #tick = (): void => {
    if (this.#isDone) return
    const nowMs = this.#elapsedMs()
    const { arrivalsMs } = this.#options
    while (this.sent < arrivalsMs.length && this.#intendedMs(this.sent) <= nowMs) {
      this.#sendNext(nowMs)
    }
    if (this.sent < arrivalsMs.length) this.#sleepUntil(this.#intendedMs(this.sent))
    else this.#drain()
  }

  #sleepUntil(intendedMs: number): void {
    const waitMs = intendedMs - this.#elapsedMs()
    if (waitMs < pollWithinMs) setImmediate(this.#tick)
    // A timer may fire up to a millisecond after its time: aim one before, and poll for the rest.
    else setTimeout(this.#tick, Math.floor(waitMs - 1))
  }

  #sendNext(nowMs: number): void {
    const index = this.sent++
    const lateMs = nowMs - this.#intendedMs(index)
    if (lateMs > lateAfterMs) this.sentLate++
    this.#options.send(index, lateMs).then(
      () => {
        if (this.#isDone) return
        this.latenciesMs[index] = this.#elapsedMs() - this.#intendedMs(index)
        this.#settle()
      },
      (error: unknown) => {
        if (this.#isDone) return
        this.#count(codeOf(error), 1)
        this.#settle()
      },
    )
  }

  #settle(): void {
    this.settled++
    this.lastSettledMs = this.#elapsedMs()
    if (this.settled === this.latenciesMs.length) this.#finish()
  }

  #drain(): void {
    if (this.settled === this.latenciesMs.length) {
      this.#finish()
      return
    }
    this.#drainTimer = setTimeout(() => {
      this.#count(unsettledCode, this.sent - this.settled)
      this.lastSettledMs = this.#elapsedMs()
      this.#finish()
    }, this.#options.drainTimeoutMs)
  }

  #finish(): void {
    this.#end()
    this.#resolve()
  }

  #end(): void {
    this.#isDone = true
    clearTimeout(this.#drainTimer)
  }

  #count(code: string, requests: number): void {
    this.failed[code] = (this.failed[code] ?? 0) + requests
  }

  #intendedMs(index: number): number {
    return this.#options.arrivalsMs[index] as number // asked for below the length only
  }

  #elapsedMs(): number {
    return performance.now() - this.#startMs
  }
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}
