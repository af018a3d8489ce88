// Wakes the core when the nearest deadline passes, so that a request is answered in time also when no replica gets to it.

export class DeadlineTimer {
  readonly #expire: () => number
  #timer: NodeJS.Timeout | undefined
  #dueMs = Number.POSITIVE_INFINITY

  /** `expire` settles what is due and returns milliseconds until the next deadline, -1 for none. */
  constructor(expire: () => number) {
    this.#expire = expire
  }

  /** A request was submitted that is due in so many milliseconds. */
  arm(leftMs: number): void {
    const dueMs = performance.now() + leftMs
    if (dueMs >= this.#dueMs) return
    clearTimeout(this.#timer)
    this.#dueMs = dueMs
    // Timers fire on whole milliseconds, rounded down; one that is early would only fire twice.
    this.#timer = setTimeout(() => this.#fire(), Math.min(Math.ceil(leftMs), longestMs))
    // The pending requests keep the process alive, not their deadlines.
    this.#timer.unref()
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#dueMs = Number.POSITIVE_INFINITY
  }

  #fire(): void {
    this.#dueMs = Number.POSITIVE_INFINITY
    const nextMs = this.#expire()
    if (nextMs >= 0) this.arm(nextMs)
  }
}

const longestMs = 60_000
