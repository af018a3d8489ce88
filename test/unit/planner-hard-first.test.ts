import { describe, expect, it } from 'vitest'
import { Simulator } from '../../src/estimator/simulator.ts'
import { hardFirst } from '../../src/planner/hard-first.ts'
import { Trace } from '../../src/workload/trace.ts'
import { configurationOf, hardware, profileOf, stage } from './estimator-profiles.ts'

const trace = Trace.gamma({ ratePerS: 200, durationMs: 20_000, cv2: 4, seed: 3 })
const span = (trace.arrivalsMs.at(-1) ?? 0) - (trace.arrivalsMs[0] ?? 0)

describe('a trace with its hardest parts first', () => {
  it('has every request once, the gaps within its parts, and a long pause between them', () => {
    const { trace: sorted, numbers } = hardFirst(trace) ?? { trace, numbers: new Uint32Array() }
    expect([...numbers].sort((a, b) => a - b)).toEqual([...trace.arrivalsMs.keys()])
    let parts = 1
    for (let at = 1; at < numbers.length; at++) {
      const [before = 0, now = 0] = numbers.subarray(at - 1, at + 1)
      const gapMs = (sorted.arrivalsMs[at] ?? 0) - (sorted.arrivalsMs[at - 1] ?? 0)
      if (now === before + 1 && gapMs < span) {
        expect(gapMs).toBeCloseTo((trace.arrivalsMs[now] ?? 0) - (trace.arrivalsMs[before] ?? 0), 6)
      } else {
        expect(gapMs).toBeGreaterThanOrEqual(span)
        parts++
      }
    }
    expect(parts).toBe(Math.floor(trace.arrivalsMs.length / 1000))
  })

  it('begins with the part that has the worst bursts', () => {
    // A thousand requests each 10 ms, and a thousand of which ten come at once each 100 ms.
    const calm = Array.from({ length: 1000 }, (_, at) => 10 * at)
    const wild = Array.from({ length: 1000 }, (_, at) => 10_000 + 100 * Math.floor(at / 10))
    const { numbers } = hardFirst(new Trace({ arrivalsMs: [...calm, ...wild] })) ?? { numbers: [] }
    // A half of the time is a little less than the calm.
    expect(numbers[0]).toBe(995)
    expect(numbers.at(-1)).toBe(994)
  })

  it('is not made of a short one, or of one that is over in no time', () => {
    expect(
      hardFirst(Trace.gamma({ ratePerS: 100, durationMs: 5000, cv2: 1, seed: 1 })),
    ).toBeUndefined()
    expect(hardFirst(new Trace({ arrivalsMs: new Float64Array(5000) }))).toBeUndefined()
  })

  it('sends each request the way it goes in the trace, and makes about as many late', async () => {
    const profile = profileOf(
      { a: stage({ 1: 3 }), b: stage({ 1: 8 }, { scaleFactor: 0.4 }) },
      { edges: [['a', 'b']] },
    )
    const configuration = configurationOf({ a: {}, b: {} })
    const lateOf = async (given: { trace: Trace; numbers?: Uint32Array }) => {
      const simulator = new Simulator({ profile, hardware, ...given })
      const [estimate] = await simulator.estimate([configuration], { latencyMs: 60 })
      return { visits: estimate?.stages['b']?.visits, attainment: estimate?.attainment ?? 0 }
    }
    const sorted = hardFirst(trace) ?? { trace }
    const [whole, parts] = [await lateOf({ trace }), await lateOf(sorted)]
    expect(parts.visits).toBe(whole.visits)
    expect(whole.attainment).toBeLessThan(0.95)
    expect(parts.attainment).toBeGreaterThanOrEqual(whole.attainment - 0.005)
    expect(parts.attainment).toBeLessThan(whole.attainment + 0.05)
  })
})
