import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { type ShapedTraceOptions, Trace, type TraceShape, traceShapes } from '../../src/index.ts'
import { Random } from '../../src/workload/random.ts'
import { RateCurve } from '../../src/workload/rate-curve.ts'
import { shapePoints } from '../../src/workload/shapes.ts'
import { errorOf } from './thrown.ts'

type Relative = Exclude<TraceShape, 'ramp'>
const relative = traceShapes.filter((shape): shape is Relative => shape !== 'ramp')
const hourMs = 3_600_000

function pointsOf(shape: Relative, durationMs: number, seed = 1) {
  return shapePoints({ shape, durationMs, random: new Random({ seed, stream: 1 }) })
}

/** The peak over the mean of the rate itself. */
function peakToMean(shape: Relative, durationMs: number, seed = 1): number {
  const points = pointsOf(shape, durationMs, seed)
  const rates = points.map(({ atMs, level }) => ({ atMs, ratePerS: 1000 * level }))
  return durationMs / new RateCurve(rates, durationMs).requests
}

function hashOf({ arrivalsMs }: Trace): string {
  return createHash('sha256').update(arrivalsMs).digest('hex').slice(0, 16)
}

describe('the shapes of traces', () => {
  it.each(relative)('%s reaches its peak, and never falls to nothing', (shape) => {
    for (const durationMs of [1_000, 60_000, hourMs, 5 * hourMs + 12_345]) {
      const points = pointsOf(shape, durationMs)
      const levels = points.map(({ level }) => level)
      expect(Math.max(...levels)).toBe(1)
      expect(Math.min(...levels)).toBeGreaterThan(0)
      const times = points.map(({ atMs }) => atMs)
      expect(times).toEqual([...times].sort((one, other) => one - other))
      expect(times.every((atMs) => atMs >= 0 && atMs <= durationMs * (1 + 1e-12))).toBe(true)
    }
  })

  // Worked out from the numbers of README.md: areas of trapezoids, in units of the base rate.
  it.each([
    ['slowly-varying', 1.4, 1.4],
    ['quickly-varying', 1.4, 1.4],
    // 3.5 more for 15 % of an hour, with edges of half a minute and two and a half.
    ['big-spike', 4.5, 4.5 / (1 + 3.5 * (0.15 + 3 / 60 / 2))],
    ['dual-phase', 2.25, 2.25 / 1.625],
    ['steep-tri-phase', 2.5, 2.5 / (5 / 3)],
  ] as const)('%s has the peak over the base, and over the mean, that it is made for', (...row) => {
    const [shape, peakToBase, overMean] = row
    expect(peakToMean(shape, hourMs)).toBeCloseTo(overMean, 3)
    const first = pointsOf(shape, hourMs)[0]?.level as number
    expect(1 / first).toBeCloseTo(peakToBase, 10)
  })

  it('large-variations vary by several times, each run in its own way', () => {
    const peaks = Array.from({ length: 50 }, (_, seed) =>
      peakToMean('large-variations', hourMs, seed),
    )
    expect(new Set(peaks).size).toBe(50)
    expect(Math.min(...peaks)).toBeGreaterThan(1.3)
    expect(peaks.reduce((sum, peak) => sum + peak, 0) / 50).toBeGreaterThan(2)
    const steps = Array.from({ length: 50 }, (_, seed) =>
      pointsOf('large-variations', hourMs, seed).map(({ level }) => Math.log(level)),
    ).flatMap((levels) => levels.slice(1).map((level, index) => level - (levels[index] as number)))
    const deviation = Math.sqrt(steps.reduce((sum, step) => sum + step * step, 0) / steps.length)
    expect(deviation).toBeGreaterThan(0.29)
    expect(deviation).toBeLessThan(0.32)
  })

  it('social-media have pulses of 4 to 5 times, 5 to 7 % of the time, on a noisy base', () => {
    for (let seed = 0; seed < 30; seed++) {
      const durationMs = 10 * hourMs
      const rates = pointsOf('social-media', durationMs, seed)
      const curve = new RateCurve(
        rates.map(({ atMs, level }) => ({ atMs, ratePerS: level })),
        durationMs,
      )
      const timeOf = curve.walk()
      // Where each of so many equal parts of all requests ends: close together in a pulse.
      const ends = Array.from({ length: 3_600 }, (_, index) =>
        timeOf(((index + 1) / 3_600) * curve.requests),
      )
      const gaps = ends.slice(1).map((atMs, index) => atMs - (ends[index] as number))
      const sorted = [...gaps].sort((one, other) => one - other)
      const usual = sorted[Math.floor(0.65 * sorted.length)] as number
      const inPulse = gaps.filter((gapMs) => gapMs < usual / 2.2)
      const share = inPulse.reduce((sum, gapMs) => sum + gapMs, 0) / durationMs
      expect(share).toBeGreaterThan(0.04)
      expect(share).toBeLessThan(0.075)
      expect(usual / (sorted[20] as number)).toBeGreaterThan(3.5)
      expect(usual / (sorted[20] as number)).toBeLessThan(7)
    }
  })

  it('social-media with a base of 100 requests a second have 1 s counts of a dispersion of about 2', () => {
    const options = { shape: 'social-media', ratePerS: 470, durationMs: 2 * hourMs } as const
    const trace = Trace.shaped(options)
    const parts = [0, 20, 40, 60, 80, 100].map((minute) =>
      trace.slice(minute * 60_000, (minute + 20) * 60_000).stats(),
    )
    // The pulse, wherever it is, touches two of them.
    const quiet = parts.filter(({ peakToMean }) => (peakToMean.at60s as number) < 1.5)
    expect(quiet.length).toBeGreaterThanOrEqual(4)
    for (const { ratePerS, dispersion } of quiet) {
      expect(Math.abs((ratePerS as number) - 100)).toBeLessThan(20)
      expect(dispersion.at1s).toBeGreaterThan(1.2)
      expect(dispersion.at1s).toBeLessThan(3)
    }
  })

  it.each(relative)('%s keeps what takes minutes in proportion where a trace is short', (shape) => {
    const minutes = shape === 'social-media' ? 120 : 60
    const [long, short] = [pointsOf(shape, minutes * 60_000), pointsOf(shape, minutes * 1_000)]
    expect(short.length).toBe(long.length)
    short.forEach(({ atMs, level }, index) => {
      expect(60 * atMs).toBeCloseTo(long[index]?.atMs as number, 5)
      expect(level).toBeCloseTo(long[index]?.level as number, 12)
    })
  })
})

describe('a shaped trace', () => {
  it.each(relative)('of shape %s has its peak rate at its peak', (shape) => {
    const trace = Trace.shaped({ shape, ratePerS: 300, durationMs: 600_000 })
    const expected = 600 * (300 / peakToMean(shape, 600_000))
    const { requests } = trace.stats()
    expect(Math.abs(requests - expected)).toBeLessThan(4 * Math.sqrt(expected))
    const perS = (trace.envelope([1_000])[0]?.arrivals as number) / 300
    expect(perS).toBeGreaterThan(0.95)
    expect(perS).toBeLessThan(1.3)
  })

  it.each([
    ['slowly-varying', 'a915eda7ca394da2'],
    ['quickly-varying', '3a12419d7b6f6973'],
    ['big-spike', 'e9e49cb4275bf090'],
    ['dual-phase', 'ac8a294850866603'],
    ['large-variations', '6d7549a0341eb747'],
    ['steep-tri-phase', '1c9000691c5ba1c8'],
    ['social-media', '95666269c3e320f7'],
    ['ramp', '5f025f9805b6b1ae'],
    // As in trace-generate.test.ts, also what Python makes of the same arithmetic.
  ] as const)('of shape %s is the same on every machine', (shape, hash) => {
    const trace = Trace.shaped({ shape, ratePerS: 50, cv2: 4, durationMs: 120_000, seed: 7 })
    expect(hashOf(trace)).toBe(hash)
  })

  it('says how it was made', () => {
    const { meta } = Trace.shaped({ shape: 'big-spike', ratePerS: 50, durationMs: 10_000 })
    const common = { ratePerS: 50, cv2: 1, durationMs: 10_000, seed: 1 }
    expect(meta).toEqual({ process: 'shaped', shape: 'big-spike', ...common })
  })

  it('of shape ramp goes from one rate to another in the middle', () => {
    const options = { ratePerS: 250, fromRatePerS: 150, transitionMs: 30_000 }
    const trace = Trace.shaped({ shape: 'ramp', durationMs: 230_000, ...options, cv2: 0 })
    const rateOf = (part: Trace) => part.stats().ratePerS as number
    expect(rateOf(trace.slice(0, 100_000))).toBeCloseTo(150, 1)
    expect(rateOf(trace.slice(100_000, 130_000))).toBeCloseTo(200, 1)
    expect(rateOf(trace.slice(130_000))).toBeCloseTo(250, 1)
    expect(trace.meta).toMatchObject(options)
  })

  it('of shape ramp goes from half its rate in a tenth of the time by default, or steps', () => {
    const { meta } = Trace.shaped({ shape: 'ramp', ratePerS: 100, durationMs: 50_000 })
    expect(meta).toMatchObject({ fromRatePerS: 50, transitionMs: 5_000 })
    const step = { shape: 'ramp', fromRatePerS: 0, transitionMs: 0 } as const
    const { arrivalsMs } = Trace.shaped({ ...step, ratePerS: 100, durationMs: 50_000 })
    expect(arrivalsMs[0]).toBeGreaterThanOrEqual(25_000)
  })

  it('stays as bursty as it is asked to be', () => {
    const dispersionOf = (cv2: number) =>
      Trace.shaped({ shape: 'dual-phase', ratePerS: 200, cv2, durationMs: 400_000 })
        .slice(0, 150_000)
        .stats().cv2 as number
    expect(dispersionOf(1)).toBeLessThan(1.1)
    expect(dispersionOf(4)).toBeGreaterThan(3.4)
  })

  it.each([
    [{ shape: 'big-spik' }, 'did you mean "big-spike"?'],
    [{ shape: undefined }, 'shape: expected one of "slowly-varying"'],
    [{ ratePerS: -1 }, 'ratePerS: expected a finite number above 0'],
    [
      { fromRatePerS: 5 },
      'fromRatePerS: expected only with the shape "ramp", got it with "big-spike"',
    ],
    [{ transitionMs: 5 }, 'transitionMs: expected only with the shape "ramp"'],
    [
      { shape: 'ramp', transitionMs: 10_001 },
      'transitionMs: expected a finite number from 0 to 10000',
    ],
    [{ shape: 'ramp', fromRatePerS: -1 }, 'fromRatePerS: expected a finite number from 0'],
    [{ peak: 5 }, 'shaped options: unknown key "peak"'],
  ])('is refused with %o', (wrong, message) => {
    const options = { shape: 'big-spike', ratePerS: 10, durationMs: 10_000, ...wrong }
    const error = errorOf(() => Trace.shaped(options as unknown as ShapedTraceOptions))
    expect(error.code).toBe('MILLRACE_INVALID_OPTION')
    expect(error.message).toContain(message)
  })
})
