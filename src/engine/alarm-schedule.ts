/** What the thread of an alarm is given. */
export interface AlarmSchedule {
  /** Milliseconds from the start, ascending; in shared memory. */
  readonly timesMs: Float64Array
  readonly cells: Int32Array
  /** The start, by the monotonic clock that all threads share. */
  readonly startNs: BigInt64Array
}

/**
 * What is in the cells: whether the start has come, whether a ring is on its way, how many times have passed as the listener
 * has it, how many have come as the thread has it. The thread moves on to the next time by itself: so the listener must take
 * its word for a time that has come, or the last of them, a moment early by the listener's clock, would never pass.
 */
export const alarmCells = { started: 0, rung: 1, passed: 2, come: 3, count: 4 } as const
