import { describe, expect, it } from 'vitest'
import { envelope, envelopeWindowsMs } from '../../src/workload/envelope.ts'
import { Random } from '../../src/workload/random.ts'
import { Trace } from '../../src/workload/trace.ts'
import { errorOf } from './thrown.ts'

/** Every window that begins with an arrival, every arrival looked at. */
function bruteForce(arrivalsMs: Float64Array, windowMs: number): number {
  const counts = [...arrivalsMs].map(
    (from, index) =>
      arrivalsMs.filter((atMs, other) => other >= index && atMs - from < windowMs - 1e-6).length,
  )
  return Math.max(...counts)
}

describe('an envelope', () => {
  it('holds the most arrivals of any window, which need not begin at a whole number', () => {
    const trace = new Trace({ arrivalsMs: [0, 900, 1000, 1100, 1899, 5000] })
    expect(trace.envelope([1, 101, 1000, 1001, 60_000])).toEqual([
      { windowMs: 1, arrivals: 1 },
      { windowMs: 101, arrivals: 2 },
      { windowMs: 1000, arrivals: 4 },
      { windowMs: 1001, arrivals: 4 },
      { windowMs: 60_000, arrivals: 6 },
    ])
  })

  it('equals brute force on random traces, with arrivals at the same time among them', () => {
    const random = new Random({ seed: 1 })
    for (let round = 0; round < 60; round++) {
      const spreadMs = 10 ** (4 * random.uniform())
      const decimals = round % 2 === 0 ? 1 : 1000
      const times = Array.from({ length: 1 + Math.floor(80 * random.uniform()) }, () => {
        return Math.floor(random.uniform() * spreadMs * decimals) / decimals
      })
      const arrivalsMs = Float64Array.from(times).sort()
      const windowsMs = [0.001, 1, 2.5, 10, 100, 1000, 60_000]
      const expected = windowsMs.map((windowMs) => ({
        windowMs,
        arrivals: bruteForce(arrivalsMs, windowMs),
      }))
      expect(envelope(arrivalsMs, windowsMs)).toEqual(expected)
    }
  })

  it('counts even arrivals evenly, though decimals are not what they seem', () => {
    const arrivalsMs = Array.from({ length: 10_000 }, (_, index) => index / 10)
    expect(new Trace({ arrivalsMs }).envelope([0.1, 0.3, 0.7, 100])).toEqual([
      { windowMs: 0.1, arrivals: 1 },
      { windowMs: 0.3, arrivals: 3 },
      { windowMs: 0.7, arrivals: 7 },
      { windowMs: 100, arrivals: 1000 },
    ])
  })

  it('never falls with the window, and its rate never rises above the densest', () => {
    const trace = Trace.gamma({ ratePerS: 100, cv2: 4, durationMs: 120_000 })
    const arrivals = trace.envelope().map((point) => point.arrivals)
    expect(arrivals).toEqual([...arrivals].sort((one, other) => one - other))
    expect(arrivals.at(-1)).toBeGreaterThan(6_000)
  })

  it('has windows of twice the length each, up to a minute', () => {
    expect(envelopeWindowsMs(20)).toEqual([
      20, 40, 80, 160, 320, 640, 1280, 2560, 5120, 10_240, 20_480, 40_960, 60_000,
    ])
    expect(envelopeWindowsMs(30_000)).toEqual([30_000, 60_000])
    expect(envelopeWindowsMs(90_000)).toEqual([60_000])
  })

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])('refuses a window of %s', (windowMs) => {
    const trace = new Trace({ arrivalsMs: [0] })
    expect(errorOf(() => trace.envelope([1, windowMs])).message).toContain('windowsMs[1]: expected')
    expect(errorOf(() => envelopeWindowsMs(windowMs)).message).toContain('firstWindowMs: expected')
  })

  it('refuses windows that are no list', () => {
    const trace = new Trace({ arrivalsMs: [0] })
    const windows = 5 as unknown as number[]
    expect(errorOf(() => trace.envelope(windows)).message).toContain('windowsMs: expected an array')
  })
})
