import { describe, expect, it } from 'vitest'
import { Arrivals } from '../../src/engine/arrivals.ts'
import { errorOf } from './thrown.ts'

/** Arrivals on a clock that is set by hand. */
function onClock() {
  const clock = { nowMs: 1000 }
  const arrivals = new Arrivals(() => clock.nowMs)
  const arriveAt = (...timesMs: number[]) => {
    for (const timeMs of timesMs) {
      clock.nowMs = timeMs
      arrivals.count()
    }
  }
  return { clock, arrivals, arriveAt }
}

describe('a recording of arrivals', () => {
  it('holds their times from its start to its end', () => {
    const { clock, arrivals, arriveAt } = onClock()
    arriveAt(1001)
    const recording = arrivals.record({})
    arriveAt(1001.5, 1001.5, 1004)
    clock.nowMs = 1005
    const recorded = recording.stop()
    arriveAt(1006)
    expect(recorded).toEqual({
      arrivalsMs: Float64Array.of(0.5, 0.5, 3),
      durationMs: 4,
      truncated: false,
    })
    expect(recording.stop()).toBe(recorded)
  })

  it('may be empty', () => {
    expect(onClock().arrivals.record({}).stop()).toEqual({
      arrivalsMs: new Float64Array(),
      durationMs: 0,
      truncated: false,
    })
  })

  it('goes on beside others, each from its own start', () => {
    const { arrivals, arriveAt } = onClock()
    const long = arrivals.record({})
    arriveAt(1010)
    const short = arrivals.record({})
    arriveAt(1020)
    expect([...short.stop().arrivalsMs]).toEqual([10])
    arriveAt(1030)
    expect([...long.stop().arrivalsMs]).toEqual([10, 20, 30])
  })

  it('keeps no more than it may, and says where it ends then', () => {
    const { arrivals, arriveAt } = onClock()
    const [two, three] = [arrivals.record({ maxArrivals: 2 }), arrivals.record({ maxArrivals: 3 })]
    arriveAt(1001, 1002, 1003)
    expect(two.stop()).toEqual({
      arrivalsMs: Float64Array.of(1, 2),
      durationMs: 3,
      truncated: true,
    })
    expect(three.stop()).toMatchObject({ durationMs: 3, truncated: false })
  })

  it('holds many', () => {
    const { arrivals, arriveAt } = onClock()
    const recording = arrivals.record({})
    const timesMs = Float64Array.from({ length: 20_000 }, (_, at) => 1000 + at)
    for (const timeMs of timesMs) arriveAt(timeMs)
    expect(recording.stop().arrivalsMs).toEqual(timesMs.map((timeMs) => timeMs - 1000))
  })

  it.each([
    [{ maxArrivals: 0 }, 'maxArrivals: expected an integer from 1 to 100000000'],
    [{ maxArrivals: 2.5 }, 'got the number 2.5'],
    [{ maxArrivals: null }, 'got null'],
    [{ max: 5 }, 'record options: unknown key "max"'],
    [null, 'record options: expected a plain object, got null'],
  ])('is refused with %j', (options, message) => {
    const error = errorOf(() => new Arrivals().record(options as never))
    expect(error.code).toBe('MILLRACE_INVALID_OPTION')
    expect(error.message).toContain(message)
  })
})
