import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { type GammaTraceOptions, type RatesTraceOptions, Trace } from '../../src/index.ts'
import { errorOf } from './thrown.ts'

function hashOf({ arrivalsMs }: Trace): string {
  return createHash('sha256').update(arrivalsMs).digest('hex').slice(0, 16)
}

describe('gamma arrivals', () => {
  // These hashes are also what the same arithmetic gives in Python, whose numbers are rounded in the same way.
  it.each([
    [{ ratePerS: 100, cv2: 4, durationMs: 60_000, seed: 1 }, 6001, '3c40102bb1e22a2e'],
    [{ ratePerS: 100, cv2: 1, durationMs: 60_000, seed: 2 }, 5980, '480f161ea8996509'],
    [{ ratePerS: 100, cv2: 0.5, durationMs: 60_000, seed: 3 }, 6102, 'ae8e8dc86ca00bf3'],
  ])('of %o are the same on every machine', (options, requests, hash) => {
    const trace = Trace.gamma(options)
    expect(trace.arrivalsMs.length).toBe(requests)
    expect(hashOf(trace)).toBe(hash)
    expect(hashOf(Trace.gamma(options))).toBe(hash)
  })

  it('differ from seed to seed', () => {
    const hashes = [0, 1, 2, 2 ** 40, Number.MAX_SAFE_INTEGER].map((seed) =>
      hashOf(Trace.gamma({ ratePerS: 10, durationMs: 10_000, seed })),
    )
    expect(new Set(hashes).size).toBe(5)
  })

  it('are whole microseconds, before the end', () => {
    const { arrivalsMs } = Trace.gamma({ ratePerS: 500, cv2: 4, durationMs: 20_000 })
    const finer = [...arrivalsMs].filter(
      (arrivalMs) => !/^\d+(\.\d{1,3})?$/.test(String(arrivalMs)),
    )
    expect(finer).toEqual([])
    expect(arrivalsMs.at(-1)).toBeLessThan(20_000)
  })

  it('say how they were made', () => {
    const trace = Trace.gamma({ ratePerS: 10, durationMs: 5_000 })
    expect(trace.durationMs).toBe(5_000)
    expect(trace.meta).toEqual({
      process: 'gamma',
      ratePerS: 10,
      cv2: 1,
      durationMs: 5_000,
      seed: 1,
    })
  })

  // The count has about the variance cv2 x mean; the estimate of cv2 from n gaps, of excess kurtosis 6 cv2, an error of
  // about cv2 sqrt((2 + 6 cv2 + 4 cv2) / n).
  it.each([0.25, 1, 4, 16])('have their rate and a cv2 of %s', (cv2) => {
    for (const seed of [1, 2, 3]) {
      const trace = Trace.gamma({ ratePerS: 200, cv2, durationMs: 500_000, seed })
      const { requests, cv2: found } = trace.stats()
      expect(Math.abs(requests - 100_000)).toBeLessThan(4 * Math.sqrt(cv2 * 100_000))
      const error = cv2 * Math.sqrt((2 + 10 * cv2) / 100_000)
      expect(Math.abs((found as number) - cv2)).toBeLessThan(4 * error)
    }
  })

  it('are counted with a dispersion of about cv2 in windows of many gaps', () => {
    const { dispersion } = Trace.gamma({ ratePerS: 200, cv2: 4, durationMs: 2_000_000 }).stats()
    expect(dispersion.at1s).toBeGreaterThan(3.4)
    expect(dispersion.at1s).toBeLessThan(4.4)
    expect(dispersion.at10s).toBeGreaterThan(2.8)
    expect(dispersion.at10s).toBeLessThan(5.2)
  })

  it('begin as if they had always been coming, however bursty', () => {
    const counts = Array.from({ length: 3_000 }, (_, seed) => {
      const { arrivalsMs } = Trace.gamma({ ratePerS: 20, cv2: 9, durationMs: 5_000, seed })
      return arrivalsMs.length
    })
    const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length
    // 4 more (that is (cv2 - 1) / 2) if each began with a gap.
    expect(Math.abs(mean - 100)).toBeLessThan(4 * Math.sqrt((9 * 100) / counts.length))
  })

  it('with a cv2 of 0 come evenly', () => {
    const trace = Trace.gamma({ ratePerS: 100, cv2: 0, durationMs: 10_000 })
    expect(trace.arrivalsMs.length).toBe(1_000)
    expect(trace.stats().cv2).toBeLessThan(1e-6)
  })

  it('with a cv2 of 1000 come in few bursts', () => {
    const { requests, cv2 } = Trace.gamma({ ratePerS: 1_000, cv2: 1_000, durationMs: 1e6 }).stats()
    expect(requests).toBeGreaterThan(800_000)
    expect(cv2).toBeGreaterThan(500)
  })

  it.each([
    [{ ratePerS: 0 }, 'ratePerS: expected a finite number above 0'],
    [{ ratePerS: Number.NaN }, 'ratePerS: expected a finite number above 0'],
    [{ ratePerS: undefined }, 'ratePerS: expected a finite number above 0'],
    [{ cv2: -1 }, 'cv2: expected a finite number from 0 to 1000, got the number -1'],
    [{ cv2: 1001 }, 'cv2: expected a finite number from 0 to 1000'],
    [{ durationMs: 0 }, 'durationMs: expected a finite number above 0'],
    [{ durationMs: Number.POSITIVE_INFINITY }, 'durationMs: expected a finite number above 0'],
    [{ seed: 1.5 }, 'seed: expected an integer at least 0'],
    [{ seed: -1 }, 'seed: expected an integer at least 0'],
    [{ seed: '1' }, 'seed: expected an integer at least 0, got the string "1"'],
    [{ cv: 4 }, 'gamma options: unknown key "cv"; did you mean "cv2"?'],
    [
      { ratePerS: 1e6, durationMs: 1e9 },
      'expected at most 100000000 arrivals, got about 1000000000000',
    ],
    [{ ratePerS: 0.001 }, 'expected at least one arrival, got none of about 0.001 in 1000 ms'],
  ])('are refused with %o', (wrong, message) => {
    const options = { ratePerS: 10, durationMs: 1_000, ...wrong } as unknown as GammaTraceOptions
    const error = errorOf(() => Trace.gamma(options))
    expect(error.code).toBe('MILLRACE_INVALID_OPTION')
    expect(error.message).toContain(message)
  })
})

describe('arrivals at rates given by points', () => {
  /** Arrivals in a range, by their number and by the rate that says so: within four standard deviations. */
  function expectAbout({ arrivalsMs }: Trace, range: readonly number[], expected: number): void {
    const [fromMs = 0, toMs = 0] = range
    const found = arrivalsMs.filter((atMs) => atMs >= fromMs && atMs < toMs).length
    expect(Math.abs(found - expected)).toBeLessThanOrEqual(4 * Math.sqrt(expected))
  }

  it('come as fast as the straight lines between them say', () => {
    const points = [
      { atMs: 10_000, ratePerS: 100 },
      { atMs: 30_000, ratePerS: 500 },
      { atMs: 40_000, ratePerS: 0 },
    ]
    const trace = Trace.ofRates({ points, durationMs: 50_000 })
    expectAbout(trace, [0, 10_000], 1_000)
    expectAbout(trace, [10_000, 20_000], 2_000)
    expectAbout(trace, [20_000, 30_000], 4_000)
    expectAbout(trace, [30_000, 35_000], 1_875)
    expectAbout(trace, [35_000, 40_000], 625)
    expectAbout(trace, [40_000, 50_000], 0)
    expect(trace.durationMs).toBe(50_000)
  })

  it('step where two points are at the same time, also down to nothing and back', () => {
    const points = [
      { atMs: 0, ratePerS: 200 },
      { atMs: 10_000, ratePerS: 200 },
      { atMs: 10_000, ratePerS: 0 },
      { atMs: 20_000, ratePerS: 0 },
      { atMs: 20_000, ratePerS: 400 },
      { atMs: 30_000, ratePerS: 400 },
    ]
    const trace = Trace.ofRates({ points })
    expect(trace.durationMs).toBe(30_000)
    expectAbout(trace, [0, 10_000], 2_000)
    expectAbout(trace, [10_000, 20_000], 0)
    expectAbout(trace, [20_000, 30_000], 4_000)
  })

  it('come evenly where cv2 is 0, as the integral of the rate says', () => {
    const points = [
      { atMs: 0, ratePerS: 0 },
      { atMs: 10_000, ratePerS: 100 },
    ]
    const { arrivalsMs } = Trace.ofRates({ points, cv2: 0 })
    // The n-th when t^2 / 200,000 = n + a part of one.
    const parts = arrivalsMs.map((atMs, index) => atMs ** 2 / 200_000 - index)
    expect(arrivalsMs.length).toBe(500)
    for (const part of parts) expect(part).toBeCloseTo(parts[0] as number, 3)
  })

  it('stay as bursty at every rate', () => {
    const points = [
      { atMs: 0, ratePerS: 50 },
      { atMs: 400_000, ratePerS: 50 },
      { atMs: 400_000, ratePerS: 400 },
      { atMs: 800_000, ratePerS: 400 },
    ]
    const trace = Trace.ofRates({ points, cv2: 4 })
    expect(trace.slice(0, 400_000).stats().cv2).toBeGreaterThan(3.5)
    expect(trace.slice(0, 400_000).stats().cv2).toBeLessThan(4.5)
    expect(trace.slice(400_000).stats().cv2).toBeGreaterThan(3.8)
    expect(trace.slice(400_000).stats().cv2).toBeLessThan(4.2)
  })

  it('end where the trace does, though there are points beyond', () => {
    const points = [
      { atMs: 0, ratePerS: 100 },
      { atMs: 20_000, ratePerS: 300 },
    ]
    const trace = Trace.ofRates({ points, durationMs: 10_000 })
    expectAbout(trace, [0, 10_000], 1_500)
    expect(trace.arrivalsMs.at(-1)).toBeLessThan(10_000)
  })

  it.each([
    [
      { points: [] },
      'points: expected an array of at least one { atMs, ratePerS }, got an array of 0',
    ],
    [{ points: 5 }, 'points: expected an array of at least one'],
    [{ points: [5] }, 'points[0]: expected a plain object, got the number 5'],
    [
      { points: [{ atMs: 5, ratePerS: -1 }] },
      'points[0].ratePerS: expected a finite number from 0',
    ],
    [{ points: [{ atMs: 5, rate: 1 }] }, 'points[0]: unknown key "rate"'],
    [
      { points: [5, 4].map((atMs) => ({ atMs, ratePerS: 1 })) },
      'points[1].atMs: expected a finite number from 5 to 1000000000000, got the number 4',
    ],
    [{ points: [{ atMs: 0, ratePerS: 1 }] }, 'durationMs: expected a finite number above 0'],
    [{ points: [{ atMs: 9, ratePerS: 0 }] }, 'expected at least one arrival, got none of about 0'],
  ])('are refused with %o', (options, message) => {
    const given = options as unknown as RatesTraceOptions
    expect(errorOf(() => Trace.ofRates(given)).message).toContain(message)
  })
})
