/** Times, one after the other, as many as there will be. */
export class GrowingTimes {
  #times: Float64Array
  #count = 0

  /** Room for so many at first; above it the room doubles. */
  constructor(expected: number) {
    this.#times = new Float64Array(Math.max(16, Math.ceil(expected)))
  }

  get count(): number {
    return this.#count
  }

  push(timeMs: number): void {
    if (this.#count === this.#times.length) this.#grow()
    this.#times[this.#count++] = timeMs
  }

  /** Those pushed so far; shares their memory. */
  view(): Float64Array {
    return this.#times.subarray(0, this.#count)
  }

  #grow(): void {
    const larger = new Float64Array(2 * this.#times.length)
    larger.set(this.#times)
    this.#times = larger
  }
}
