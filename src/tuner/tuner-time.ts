import { type Clock, nowMs } from '../clock.ts'

/** Time as a tuner knows it; passed in, so that simulations and tests can own it. */
export interface TunerTime {
  /** Milliseconds since some fixed moment. */
  readonly now: Clock
  /** Calls back again and again, and keeps no process alive. */
  every(periodMs: number, callback: () => void): { stop(): void }
}

/** The time of this process. */
export function realTime(): TunerTime {
  return {
    now: clockOfTurns(),
    every(periodMs, callback) {
      const timer = setInterval(callback, periodMs).unref()
      return { stop: () => clearInterval(timer) }
    },
  }
}

/**
 * Reads the clock once for all that is asked in one go: requests that are sent together, hundreds of them after a batch
 * was answered, arrive at one moment, and to read the clock takes longer than to count one.
 */
function clockOfTurns(): Clock {
  let isFresh = false
  let readMs = 0
  const expire = (): void => {
    isFresh = false
  }
  return () => {
    if (isFresh) return readMs
    readMs = nowMs()
    isFresh = true
    // Runs after the continuations that wait already, and before anything that happens later.
    queueMicrotask(expire)
    return readMs
  }
}
