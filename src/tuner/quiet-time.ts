import type { TunerRules } from './tuner-options.ts'

/** Within so many times the present quiet time, replicas that are needed again were removed too soon. */
const regretTimes = 4

/**
 * How long to wait after a change before replicas go. It grows each time that some were removed too soon, so that
 * traffic which falls and rises again and again does not make replicas come and go as often; and is what it was once
 * that no longer happens.
 */
export class QuietTime {
  readonly #rules: TunerRules
  #quietMs: number
  #removedMs = Number.NEGATIVE_INFINITY

  constructor(rules: TunerRules) {
    this.#rules = rules
    this.#quietMs = rules.quietMs
  }

  get quietMs(): number {
    return this.#quietMs
  }

  changed(direction: 'up' | 'down', nowMs: number): void {
    if (direction === 'down') {
      this.#removedMs = nowMs
      return
    }
    if (this.#removedMs === Number.NEGATIVE_INFINITY) return
    const { quietMs, backoff, longestQuietMs } = this.#rules
    const isRegretted = nowMs - this.#removedMs < regretTimes * this.#quietMs
    const longest = Math.max(quietMs, longestQuietMs)
    this.#quietMs = isRegretted ? Math.min(longest, this.#quietMs * backoff) : quietMs
    this.#removedMs = Number.NEGATIVE_INFINITY
  }
}
