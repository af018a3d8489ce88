// Sends requests when they are meant to be sent, whether or not earlier ones were answered. Never blocks the event loop:
// one ring of the alarm sends what was due when it came, and returns.
import { Alarm } from './alarm.ts'

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
  /** By request: when it was sent, from the start. */
  readonly sentAtMs: Float64Array
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
  #alarm: Alarm | undefined

  constructor(options: OpenLoopOptions) {
    this.#options = options
    this.latenciesMs = new Float64Array(options.arrivalsMs.length).fill(Number.NaN)
    this.sentAtMs = new Float64Array(options.arrivalsMs.length)
  }

  /** Fulfils when all are settled, or the time for that is over; rejects when stopped. Once only. */
  async run(): Promise<void> {
    const done = new Promise<void>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    await Promise.all([this.#begin(), done])
  }

  async #begin(): Promise<void> {
    this.#alarm = await Alarm.prepare({
      timesMs: this.#options.arrivalsMs,
      onRing: (come) => this.#sendDue(come),
      onError: (error) => this.stop(error),
    })
    if (this.#isDone) {
      this.#alarm.close()
      return
    }
    this.#startMs = this.#alarm.start()
  }

  /** Sends nothing more, and has {@link run} reject. */
  stop(reason: unknown): void {
    this.#end()
    this.#reject(reason)
  }

  /** Those that have come as the alarm has it, and those that have come since. */
  #sendDue(come: number): number {
    const nowMs = this.#elapsedMs()
    const { length } = this.#options.arrivalsMs
    const isDue = () => this.sent < come || this.#intendedMs(this.sent) <= nowMs
    while (!this.#isDone && this.sent < length && isDue()) {
      this.#sendNext()
      if (this.sent === length) this.#drain()
    }
    return this.sent
  }

  #sendNext(): void {
    const index = this.sent++
    const sentMs = this.#elapsedMs()
    // Two threads read one clock, each from a beginning of its own, a few microseconds apart.
    const lateMs = Math.max(0, sentMs - this.#intendedMs(index))
    this.sentAtMs[index] = sentMs
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
    this.#alarm?.close()
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
