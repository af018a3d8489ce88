import { describe, expect, it } from 'vitest'
import { addNanos, addTimes, EpochClock, type HrTime } from '../../src/observe/epoch-clock.ts'

describe('a moment of the monotonic clock', () => {
  it('is moved to the time of day in whole nanoseconds', () => {
    const clock = new EpochClock(
      () => [7, 999_999_999],
      () => 1_700_000_000_123,
    )
    expect(addTimes([7, 999_999_999], clock.resync())).toEqual([1_700_000_000, 123_000_000])
    expect(addTimes([8, 1], clock.resync())).toEqual([1_700_000_000, 123_000_002])
  })

  it('is moved as others are, unless the time of day was set', () => {
    let monotonic: HrTime = [10, 0]
    let epochMs = 5_000
    const clock = new EpochClock(
      () => monotonic,
      () => epochMs,
    )
    const first = clock.resync()
    monotonic = [11, 0]
    epochMs = 6_004
    expect(clock.resync()).toEqual(first)
    epochMs = 3_606_000
    expect(addTimes(monotonic, clock.resync())).toEqual([3606, 0])
  })

  it('is carried over the second, forward and back', () => {
    expect(addNanos([1, 999_999_999], 2)).toEqual([2, 1])
    expect(addNanos([1, 0], -1)).toEqual([0, 999_999_999])
    expect(addNanos([1, 0], 3_000_000_005)).toEqual([4, 5])
  })
})
