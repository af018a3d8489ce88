import { type Clock, nowMs } from '../clock.ts'

/** Time as a tuner knows it; passed in, so that simulations and tests can own it. */
export interface TunerTime {
  /** Milliseconds since some fixed moment. */
  readonly now: Clock
  /**
   * Calls back again and again, and keeps no process alive.
   *
   * @param periodMs Milliseconds from one call to the next.
   * @param callback Never throws.
   */
  every(
    periodMs: number,
    callback: () => void,
  ): {
    /** Ends it. */
    stop(): void
  }
  /**
   * Calls back before time goes on in a way that matters. Requests that are sent together, hundreds of them after a batch was
   * answered, arrive at one moment, and to look at the clock takes many times longer than to count one. Default: every arrival
   * has its own time.
   *
   * @param callback Never throws. Called once for each call of this.
   */
  whenMomentEnds?(callback: () => void): void
}

/** The time of this process. */
export function realTime(): TunerTime {
  const past = Promise.resolve()
  return {
    now: nowMs,
    every(periodMs, callback) {
      const timer = setInterval(callback, periodMs).unref()
      return { stop: () => clearInterval(timer) }
    },
    whenMomentEnds(callback) {
      // After the continuations that wait already, and before anything that happens later. Not queueMicrotask(), which
      // takes several times as long.
      void past.then(callback)
    },
  }
}
