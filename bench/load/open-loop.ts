/**
 * An open-loop load generator in the event loop of the calling process: requests start when they were
 * meant to, whether or not earlier ones have come back, as independent clients do.
 *
 * Promises: intended start times are drawn up front from the seed; a request starts at or after its
 * time, never before; latency runs from the *intended* time, so a stall of the event loop or of the
 * system counts against every request that it delays (no coordinated omission). The generator never
 * blocks the loop: one tick sends what was due when the tick began, and returns.
 *
 * Danger: timers wake to the millisecond, so with the next start less than 2 ms away the generator
 * polls with setImmediate and takes the whole core of its thread. `late` says how often even that was
 * not enough; where it is not small, the figures are of the generator and not of the system.
 */
import { type ArrivalOptions, drawArrivalsMs } from './arrivals.ts'
import { type LatencyHistogram, newLatencyHistogram, recordLatencyMs } from './latency-histogram.ts'
import { outcomeCode } from './outcome-code.ts'

export type OpenLoopProgress = { sent: number; planned: number; settled: number; elapsedMs: number }

export type OpenLoopOptions = ArrivalOptions & {
  /**
   * Starts request `index`, which was meant to start `lateMs` ago and has as much less of its time left; a throw counts as
   * a rejection.
   */
  send: (index: number, lateMs: number) => Promise<unknown>
  /** Called twice a second while the run lasts. */
  onProgress?: (progress: OpenLoopProgress) => void
  /** What counts as in time, from the intended start; no limit when absent. */
  deadlineMs?: number
  /** How long after the last start to wait for answers; 60,000 when absent. */
  drainTimeoutMs?: number
}

export type OpenLoopReport = {
  sent: number
  /** Started more than 1 ms after the intended time. */
  late: number
  /** Fulfilled. */
  completed: number
  /** Fulfilled within `deadlineMs` of the intended start. */
  inTime: number
  /** Rejected, by error code; `UNSETTLED` counts those with no answer when the drain timed out. */
  failed: Record<string, number>
  /** Of the completed ones only: an early refusal is no fast answer. */
  latencyUs: LatencyHistogram
  /** Completed a second of `durationMs`. */
  achievedPerS: number
  /** From the start to the last answer, and at least the duration asked for. */
  durationMs: number
}

const lateAfterMs = 1
const pollWithinMs = 2
const progressEveryMs = 500
const defaultDrainTimeoutMs = 60_000
const unsettledCode = 'UNSETTLED'

/** Rejects for a bad option; what `send` does never makes it reject. */
export async function runOpenLoop(options: OpenLoopOptions): Promise<OpenLoopReport> {
  const run = new OpenLoop(options, drawArrivalsMs(options))
  const { onProgress } = options
  const timer = onProgress && setInterval(() => onProgress(run.progress()), progressEveryMs)
  await new Promise<void>((resolve) => run.start(resolve))
  clearInterval(timer)
  return run.report()
}

class OpenLoop {
  readonly #options: OpenLoopOptions
  readonly #intendedMs: Float64Array
  readonly #startMs = performance.now()
  readonly #latencyUs = newLatencyHistogram()
  readonly #failed: Record<string, number> = {}
  #drainTimer: NodeJS.Timeout | undefined
  #onFinished: () => void = () => {}
  #sent = 0
  #late = 0
  #completed = 0
  #inTime = 0
  #settled = 0
  #lastSettledMs = 0
  #finished = false

  constructor(options: OpenLoopOptions, intendedMs: Float64Array) {
    this.#options = options
    this.#intendedMs = intendedMs
  }

  start(onFinished: () => void): void {
    this.#onFinished = onFinished
    this.#tick()
  }

  progress(): OpenLoopProgress {
    return {
      sent: this.#sent,
      planned: this.#intendedMs.length,
      settled: this.#settled,
      elapsedMs: this.#elapsedMs(),
    }
  }

  report(): OpenLoopReport {
    const durationMs = Math.max(this.#options.durationMs, this.#lastSettledMs)
    return {
      sent: this.#sent,
      late: this.#late,
      completed: this.#completed,
      inTime: this.#inTime,
      failed: { ...this.#failed },
      latencyUs: this.#latencyUs,
      achievedPerS: (this.#completed * 1000) / durationMs,
      durationMs,
    }
  }

  readonly #tick = (): void => {
    const nowMs = this.#elapsedMs()
    while (this.#nextIntendedMs() <= nowMs) this.#sendNext(nowMs)
    if (this.#sent < this.#intendedMs.length) this.#sleepUntil(this.#nextIntendedMs())
    else this.#drain()
  }

  /** Infinity when all are sent. */
  #nextIntendedMs(): number {
    return this.#intendedMs[this.#sent] ?? Number.POSITIVE_INFINITY
  }

  #sleepUntil(intendedMs: number): void {
    const waitMs = intendedMs - this.#elapsedMs()
    if (waitMs < pollWithinMs) setImmediate(this.#tick)
    // A timer may fire up to a millisecond after its time: aim one before, and poll for the rest.
    else setTimeout(this.#tick, Math.floor(waitMs - 1))
  }

  #sendNext(nowMs: number): void {
    const index = this.#sent++
    const intendedMs = this.#intendedMs[index] ?? 0
    if (nowMs - intendedMs > lateAfterMs) this.#late++
    this.#send(index, nowMs - intendedMs).then(
      () => this.#complete(intendedMs),
      (error) => this.#settle(outcomeCode(error)),
    )
  }

  /** A throw of `send` itself becomes a rejection. */
  #send(index: number, lateMs: number): Promise<unknown> {
    try {
      return this.#options.send(index, lateMs)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #complete(intendedMs: number): void {
    if (this.#finished) return
    this.#completed++
    const latencyMs = this.#elapsedMs() - intendedMs
    if (latencyMs <= (this.#options.deadlineMs ?? Number.POSITIVE_INFINITY)) this.#inTime++
    recordLatencyMs(this.#latencyUs, latencyMs)
    this.#settle()
  }

  #settle(failure?: string): void {
    if (this.#finished) return
    if (failure !== undefined) this.#failed[failure] = (this.#failed[failure] ?? 0) + 1
    this.#settled++
    this.#lastSettledMs = this.#elapsedMs()
    if (this.#settled === this.#intendedMs.length) this.#finish()
  }

  #drain(): void {
    if (this.#settled === this.#intendedMs.length) {
      this.#finish()
      return
    }
    const { drainTimeoutMs = defaultDrainTimeoutMs } = this.#options
    this.#drainTimer = setTimeout(() => this.#giveUp(), drainTimeoutMs)
  }

  #giveUp(): void {
    this.#failed[unsettledCode] = this.#sent - this.#settled
    this.#lastSettledMs = this.#elapsedMs()
    this.#finish()
  }

  #finish(): void {
    if (this.#finished) return
    this.#finished = true
    clearTimeout(this.#drainTimer)
    this.#onFinished()
  }

  #elapsedMs(): number {
    return performance.now() - this.#startMs
  }
}
