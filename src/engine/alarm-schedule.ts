/** What the thread of an alarm is given. */
export interface AlarmSchedule {
  /** Milliseconds from the start, ascending; in shared memory. */
  readonly timesMs: Float64Array
  readonly cells: Int32Array
  /** The start, by the monotonic clock that all threads share. */
  readonly startNs: BigInt64Array
}

/** What is in the cells: whether the start has come, whether a ring is on its way, how many times have passed. */
export const alarmCells = { started: 0, rung: 1, passed: 2, count: 3 } as const
