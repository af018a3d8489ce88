/** The highest rate of windows of some steps, among those of the last steps. Constant memory. */
export class RecentRate {
  readonly #windowSteps: number
  readonly #stepMs: number
  /** Arrivals of each step, the latest at `#steps % length`. */
  readonly #counts: Float64Array
  #steps = 0

  constructor(options: {
    readonly stepMs: number
    readonly windowMs: number
    readonly historyMs: number
  }) {
    const { stepMs, windowMs, historyMs } = options
    this.#stepMs = stepMs
    this.#windowSteps = Math.max(1, Math.round(windowMs / stepMs))
    this.#counts = new Float64Array(Math.max(this.#windowSteps, Math.round(historyMs / stepMs)))
  }

  /** A step ends, in which so many arrived. */
  push(arrivals: number): void {
    this.#counts[++this.#steps % this.#counts.length] = arrivals
  }

  /** Requests a second; steps before the first count as empty. */
  highestPerS(): number {
    const { length } = this.#counts
    let sum = 0
    let highest = 0
    for (let back = 0; back < length; back++) {
      sum += this.#at(back)
      if (back >= this.#windowSteps) sum -= this.#at(back - this.#windowSteps)
      if (back >= this.#windowSteps - 1) highest = Math.max(highest, sum)
    }
    return (1000 * highest) / (this.#windowSteps * this.#stepMs)
  }

  #at(stepsBack: number): number {
    const { length } = this.#counts
    return this.#counts[(((this.#steps - stepsBack) % length) + length) % length] ?? 0
  }
}
