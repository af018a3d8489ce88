import { describe, expect, it } from 'vitest'
import { ArrivalRecorder, type ArrivalRecorderOptions } from '../../src/index.ts'
import { errorOf } from './thrown.ts'

function recorderOf(times: readonly number[], options: ArrivalRecorderOptions = {}) {
  const recorder = new ArrivalRecorder(options)
  for (const timeMs of times) recorder.record(timeMs)
  return recorder
}

describe('a recorder of arrivals', () => {
  it('makes a trace that begins with the first arrival', () => {
    const trace = recorderOf([1000.5, 1001, 1500.25]).toTrace()
    expect([...trace.arrivalsMs]).toEqual([0, 0.5, 499.75])
    expect(trace.durationMs).toBe(499.75)
    expect(trace.meta).toEqual({ process: 'recorded', durationMs: 499.75, dropped: 0 })
  })

  it('makes one from when it began to when it ended, where it is told', () => {
    const trace = recorderOf([1000.5, 1001], { startMs: 1000 }).toTrace({ endMs: 2000 })
    expect([...trace.arrivalsMs]).toEqual([0.5, 1])
    expect(trace.durationMs).toBe(1000)
  })

  it('keeps the latest arrivals where there are too many, in their order', () => {
    const times = Array.from({ length: 10 }, (_, index) => 100 * index)
    const recorder = recorderOf(times, { maxArrivals: 4, startMs: 0 })
    expect(recorder.recorded).toBe(10)
    expect(recorder.dropped).toBe(6)
    expect([...recorder.toTrace().arrivalsMs]).toEqual([0, 100, 200, 300])
    expect(recorder.toTrace({ endMs: 1000 }).durationMs).toBe(400)
    expect(recorder.toTrace().meta['dropped']).toBe(6)
  })

  it.each([1, 2, 3, 1024, 1025, 5000])(
    'keeps all of %s arrivals where there is room for them',
    (count) => {
      const times = Array.from({ length: count }, (_, index) => index)
      expect([...recorderOf(times, { maxArrivals: count }).toTrace().arrivalsMs]).toEqual(times)
      const more = recorderOf([...times, count], { maxArrivals: count })
      expect([...more.toTrace().arrivalsMs]).toEqual(times)
      expect(more.dropped).toBe(1)
    },
  )

  it('goes on after it made a trace', () => {
    const recorder = recorderOf([5, 6])
    recorder.toTrace()
    recorder.record(9)
    expect([...recorder.toTrace().arrivalsMs]).toEqual([0, 1, 4])
  })

  it('takes an arrival that is told late for one that came with the one before', () => {
    expect([...recorderOf([10, 30, 20, 40]).toTrace().arrivalsMs]).toEqual([0, 20, 20, 30])
    const early = recorderOf([-5, 10], { startMs: 0 })
    expect([...early.toTrace().arrivalsMs]).toEqual([0, 10])
  })

  it('leaves out what is no time, and never throws', () => {
    const wrong = [Number.NaN, Number.POSITIVE_INFINITY, undefined, '5', null] as number[]
    const recorder = recorderOf([1, ...wrong, 2])
    expect(recorder.recorded).toBe(2)
    expect([...recorder.toTrace().arrivalsMs]).toEqual([0, 1])
  })

  it('makes traces of whole microseconds', () => {
    expect([...recorderOf([0.1234567, 1.00049]).toTrace().arrivalsMs]).toEqual([0, 0.877])
  })

  it('refuses to make a trace of nothing', () => {
    expect(errorOf(() => recorderOf([]).toTrace()).message).toContain('got none; record some first')
  })

  it.each([
    [{ maxArrivals: 0 }, 'maxArrivals: expected an integer from 1 to 100000000'],
    [{ maxArrivals: 1.5 }, 'maxArrivals: expected an integer'],
    [{ startMs: Number.NaN }, 'startMs: expected a finite number'],
    [{ max: 5 }, 'recorder options: unknown key "max"'],
  ])('is refused with %o', (options, message) => {
    const given = options as ArrivalRecorderOptions
    expect(errorOf(() => new ArrivalRecorder(given)).message).toContain(message)
  })

  it('refuses an end before the last arrival', () => {
    const recorder = recorderOf([5, 20])
    expect(errorOf(() => recorder.toTrace({ endMs: 19 })).message).toContain('endMs: expected')
  })
})
