/**
 * Milliseconds since some fixed moment; never goes back. Passed in wherever time matters, so that
 * tests can own it.
 */
export type Clock = () => number

/**
 * The monotonic clock of the process, in milliseconds with a fraction. Unrelated to the time of
 * day.
 */
export const nowMs: Clock = () => performance.now()
