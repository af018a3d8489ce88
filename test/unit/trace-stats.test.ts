import { describe, expect, it } from 'vitest'
import { Random } from '../../src/workload/random.ts'
import { Trace } from '../../src/workload/trace.ts'

const statsOf = (arrivalsMs: readonly number[], durationMs?: number) =>
  new Trace({ arrivalsMs, meta: durationMs === undefined ? {} : { durationMs } }).stats()

describe('the statistics of a trace', () => {
  it('are those worked out by hand', () => {
    // Gaps 500, 500, 1500, 500: mean 750, sample variance 250,000. Counts by second: 2, 1, 1, 1 and 0 in a fifth.
    expect(statsOf([0, 500, 1000, 2500, 3000], 5_000)).toEqual({
      requests: 5,
      durationMs: 5_000,
      ratePerS: 1,
      cv2: 250_000 / 750 ** 2,
      dispersion: { at1s: 0.5, at10s: null, at60s: null },
      peakToMean: { at1s: 2, at60s: null },
    })
  })

  it('leave out the last window where the trace ends within it', () => {
    // Of 2.9 s, two whole seconds with 1 and 3 arrivals: mean 2, sample variance 2.
    const { dispersion, peakToMean } = statsOf([999.999, 1000, 1001, 1002, 2000, 2001], 2_900)
    expect(dispersion.at1s).toBe(1)
    expect(peakToMean.at1s).toBe(1.5)
  })

  it('of windows of 10 and 60 s are those of such windows', () => {
    // Three in the first 10 s of every minute, for two minutes; then one minute with twelve.
    const minute = (count: number, at: number) =>
      Array.from({ length: count }, (_, index) => at * 60_000 + index)
    const { dispersion, peakToMean } = statsOf(
      [...minute(3, 0), ...minute(3, 1), ...minute(12, 2)],
      180_000,
    )
    // By minute 3, 3, 12: mean 6, variance 27. By 10 s three counts of 18: sum of squares 162, mean 1.
    expect(dispersion.at60s).toBe(4.5)
    expect(peakToMean.at60s).toBe(2)
    expect(dispersion.at10s).toBeCloseTo((162 - 18) / 17, 12)
  })

  it('of even arrivals show no variance', () => {
    const even = Array.from({ length: 12_000 }, (_, index) => index * 10)
    const stats = statsOf(even, 120_000)
    expect(stats).toMatchObject({ ratePerS: 100, cv2: 0 })
    expect(stats.dispersion).toEqual({ at1s: 0, at10s: 0, at60s: 0 })
    expect(stats.peakToMean).toEqual({ at1s: 1, at60s: 1 })
  })

  it('are null where the trace is too short to say', () => {
    const nothing = { at1s: null, at10s: null, at60s: null }
    const short = { cv2: null, dispersion: nothing, peakToMean: { at1s: null, at60s: null } }
    expect(statsOf([0])).toEqual({ requests: 1, durationMs: 0, ratePerS: null, ...short })
    expect(statsOf([0, 100])).toEqual({ requests: 2, durationMs: 100, ratePerS: 20, ...short })
    expect(statsOf([7, 7, 7]).cv2).toBeNull()
    expect(statsOf([2_500], 2_900).dispersion.at1s).toBeNull()
  })

  it('do not need a place for each window of a trace that begins late', () => {
    const late = [1_764_000_000_000, 1_764_000_000_500, 1_764_000_001_500]
    expect(statsOf(late)).toMatchObject({ requests: 3, durationMs: 1_764_000_001_500 })
  })

  it('equal those of counts kept in a list', () => {
    const random = new Random({ seed: 6 })
    const times = Array.from({ length: 500 }, () => 200_000 * random.uniform() ** 2)
    const arrivalsMs = times.sort((one, other) => one - other)
    const { dispersion, peakToMean } = statsOf(arrivalsMs, 200_000)
    const counts = new Array<number>(200).fill(0)
    for (const timeMs of arrivalsMs) counts[Math.floor(timeMs / 1000)]! += 1
    const mean = 500 / 200
    const variance = counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / 199
    expect(dispersion.at1s).toBeCloseTo(variance / mean, 10)
    expect(peakToMean.at1s).toBe(Math.max(...counts) / mean)
  })
})
