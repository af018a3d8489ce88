import type { Clock } from '../clock.ts'

/**
 * A clock that never jumps: where the one underneath goes back, or forward by more than could pass unnoticed, no time has
 * passed here. A process that was suspended so finds the traffic as it left it, instead of a minute without any.
 */
export class SteadyClock {
  readonly #clock: Clock
  readonly #longestGapMs: number
  readonly #onJump: (jumpMs: number) => void
  #lastMs: number
  #offsetMs: number

  constructor(options: {
    readonly clock: Clock
    /** More than this at once is a jump. */
    readonly longestGapMs: number
    readonly onJump: (jumpMs: number) => void
  }) {
    this.#clock = options.clock
    this.#longestGapMs = options.longestGapMs
    this.#onJump = options.onJump
    this.#lastMs = options.clock()
    this.#offsetMs = -this.#lastMs
  }

  /** Milliseconds from the beginning, jumps left out. */
  now(): number {
    const nowMs = this.#clock()
    const gapMs = nowMs - this.#lastMs
    // What is no time passes none.
    if (!Number.isFinite(gapMs)) return this.#lastMs + this.#offsetMs
    this.#lastMs = nowMs
    if (gapMs < 0 || gapMs > this.#longestGapMs) this.#jump(gapMs)
    return nowMs + this.#offsetMs
  }

  #jump(gapMs: number): void {
    this.#offsetMs -= gapMs
    this.#onJump(gapMs)
  }
}
