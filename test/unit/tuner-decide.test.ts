// Decisions worked out by hand: 100/s planned; `a` has 2 replicas, `b` 5, all half full (see tuner-plans.ts).
import { describe, expect, it } from 'vitest'
import { checkTunerOptions } from '../../src/tuner/check-tuner-options.ts'
import {
  arrivalLimits,
  decide,
  presentLevel,
  type TunerBasis,
  type TunerState,
} from '../../src/tuner/decide.ts'
import { demandAt, levelOf } from '../../src/tuner/demand.ts'
import { plannedDemand } from '../../src/tuner/planned-demand.ts'
import { QuietTime } from '../../src/tuner/quiet-time.ts'
import type { TunerOptions } from '../../src/tuner/tuner-options.ts'
import { planOf, twoStages } from './tuner-plans.ts'

const hardware = {
  version: 1,
  tiers: { 'cpu-1': { kind: 'cpu', pricePerHour: 0.5 } },
} as const

function basisOf(options: Partial<TunerOptions> = {}): TunerBasis {
  const plan = options.plan ?? planOf()
  const engine = {
    stats: () => ({ stages: { a: { replicas: 2 }, b: { replicas: 5 } } }),
    scale: async () => {},
    watchArrivals: () => ({ stop: () => {} }),
  }
  const { rules } = checkTunerOptions({ ...options, plan }, engine)
  return { demand: plannedDemand(plan, options.hardware), rules }
}

/** At 60 s, with a change at 0, nothing lately but what is given. */
function stateOf(given: Partial<Omit<TunerState, 'replicas'>> & { a?: number; b?: number }) {
  const { a = 2, b = 5, ...others } = given
  const arrivals = others.arrivals ?? [0, 0, 0]
  return {
    nowMs: 60_000,
    replicas: new Map(Object.entries({ a, b })),
    recentArrivals: arrivals,
    recentRatePerS: 0,
    changedMs: 0,
    quietMs: 15_000,
    ...others,
    arrivals,
  }
}

const changesOf = (state: TunerState, basis: TunerBasis) => {
  const changes = decide(state, basis)?.changes ?? []
  return Object.fromEntries(changes.map(({ stage, after }) => [stage, after]))
}

describe('as published, replicas are added', () => {
  const basis = basisOf({ method: 'inferline' })

  it.each([
    // r s / (mu rho): 210 / (100 * 0.5) = 4.2 and 210 * 0.5 / (20 * 0.5) = 10.5
    ['for the rate of a window that is too full', [21, 100, 1000], { a: 5, b: 11 }],
    // 126 in 1 s: 126 / 50 = 2.52 and 63 / 10 = 6.3
    ['for a longer one', [20, 126, 1000], { a: 3, b: 7 }],
    // 22 in 100 ms and 126 in 1 s are both over: 220/s is the higher
    ['for the highest rate of those that are too full', [22, 126, 1000], { a: 5, b: 11 }],
    // 20 in 100 ms is a rate of 200/s, and planned: 1100 in 10 s are 110/s
    ['whatever the rates of the others', [20, 125, 1100], { a: 3, b: 6 }],
  ])('%s', (_, arrivals, expected) => {
    expect(changesOf(stateOf({ arrivals, quietMs: 1e9 }), basis)).toEqual(expected)
  })

  it('never where no window is over, and never fewer than there are', () => {
    expect(decide(stateOf({ arrivals: [20, 125, 1080], quietMs: 1e9 }), basis)).toBeUndefined()
    const many = stateOf({ arrivals: [20, 126, 1000], a: 3, b: 9, quietMs: 1e9 })
    expect(decide(many, basis)).toBeUndefined()
  })

  it('with fewer than planned, for what is within the plan, up to the plan', () => {
    // Half of each: windows of 10, 62.5 and 540.
    const half = { a: 1, b: 3, quietMs: 1e9 }
    expect(decide(stateOf({ ...half, arrivals: [10, 62, 540] }), basis)).toBeUndefined()
    // 11 in 100 ms are 110/s, more than planned; but the plan was made for 20 in 100 ms.
    expect(changesOf(stateOf({ ...half, arrivals: [11, 62, 540] }), basis)).toEqual({ a: 2, b: 5 })
    // 63 in 1 s: 63 / 50 and 31.5 / 10
    expect(changesOf(stateOf({ ...half, arrivals: [10, 63, 540] }), basis)).toEqual({ a: 2, b: 4 })
  })
})

describe('as published, replicas are removed', () => {
  const basis = basisOf({ method: 'inferline' })

  it.each([
    // r s / (mu rho): 40 / 50 = 0.8 and 20 / 10 = 2
    ['for a lower rate', { recentRatePerS: 40 }, { a: 1, b: 2 }],
    ['to one where nothing comes', { recentRatePerS: 0 }, { a: 1, b: 1 }],
    ['and none are added', { recentRatePerS: 400 }, {}],
    ['not within 15 s of a change', { recentRatePerS: 40, changedMs: 45_001 }, {}],
    ['just 15 s after it', { recentRatePerS: 40, changedMs: 45_000 }, { a: 1, b: 2 }],
  ])('%s', (_, given, expected) => {
    expect(changesOf(stateOf(given), basis)).toEqual(expected)
  })

  it('by the load of the stage that is least full', () => {
    const stages = { ...twoStages, b: { ...twoStages.b, replicaRatePerS: 40, load: 0.25 } }
    const uneven = basisOf({ method: 'inferline', plan: planOf({ stages }) })
    // 80 / (100 * 0.25) = 3.2 and 40 / (40 * 0.25) = 4
    const state = stateOf({ recentRatePerS: 80, a: 9, b: 9 })
    expect(changesOf(state, uneven)).toEqual({ a: 4, b: 4 })
  })

  it('never those that a window still asks for', () => {
    // 1300 in 10 s: 130 / 50 = 2.6 and 65 / 10 = 6.5
    const state = stateOf({ a: 8, b: 20, arrivals: [0, 0, 1300], recentRatePerS: 10 })
    expect(changesOf(state, basis)).toEqual({ a: 3, b: 7 })
  })
})

describe('by levels', () => {
  const exact = { tolerance: 0, headroom: 0 }

  it('a demand is turned into a level and back', () => {
    for (const level of [0, 0.1, 1, 4, 100]) {
      for (const demand of [
        { mean: 10, spare: 10 },
        { mean: 0.2, spare: 3 },
        { mean: 5, spare: 0 },
      ]) {
        expect(levelOf(demand, demandAt(demand, level))).toBeCloseTo(level)
      }
    }
    expect(levelOf({ mean: 0, spare: 0 }, 0)).toBe(0)
    expect(levelOf({ mean: 0, spare: 0 }, 1)).toBe(Number.POSITIVE_INFINITY)
  })

  it('replicas are added for as much planned traffic as fills the window', () => {
    // The window of 100 ms holds 10 on average and 10 more at its fullest: 60 are 4 times that, since 4 * 10 + 2 * 10 = 60.
    const state = stateOf({ arrivals: [60, 100, 1000] })
    expect(presentLevel(state, basisOf(exact))).toBeCloseTo(4)
    expect(changesOf(state, basisOf(exact))).toEqual({ a: 8, b: 20 })
    // As published it would be a rate of 600/s, 6 times the planned one.
    expect(changesOf(state, basisOf({ method: 'inferline' }))).toEqual({ a: 12, b: 30 })
    expect(changesOf(state, basisOf({ tolerance: 0, headroom: 0.5 }))).toEqual({ a: 12, b: 30 })
  })

  it('a window may be fuller by the tolerance', () => {
    // 20 planned, and a root of it: 24.47.
    const basis = basisOf({ headroom: 0, tolerance: 1 })
    expect(decide(stateOf({ arrivals: [24, 100, 1000], quietMs: 1e9 }), basis)).toBeUndefined()
    // (sqrt(100 + 40 * 25) - 10)^2 / 400 = 1.342
    expect(changesOf(stateOf({ arrivals: [25, 100, 1000], quietMs: 1e9 }), basis)).toEqual({
      a: 3,
      b: 7,
    })
  })

  it('long windows may fluctuate as the short ones do', () => {
    // (20 - 10) / sqrt(10) = 3.16 and (125 - 100) / sqrt(100) = 2.5: the higher of the two, 3.16 * sqrt(1000) = 100.
    const [short, , long] = basisOf().demand.windows
    expect(short?.demand).toEqual({ mean: 10, spare: 10 })
    expect(long?.demand.mean).toBe(1000)
    expect(long?.demand.spare).toBeCloseTo(100)
  })

  it('replicas are removed down to what the traffic of the last 30 s needs', () => {
    const quiet = stateOf({
      a: 8,
      b: 20,
      arrivals: [10, 100, 1000],
      recentArrivals: [20, 120, 1000],
      recentRatePerS: 100,
    })
    expect(changesOf(quiet, basisOf())).toEqual({ a: 2, b: 5 })
    // 60 in 100 ms, 20 s ago.
    expect(changesOf({ ...quiet, recentArrivals: [60, 120, 1000] }, basisOf(exact))).toEqual({})
    // A quarter of the plan: 0.25 * 1 + 0.5 * 1 = 0.75 and 0.25 * 2.5 + 0.5 * 2.5 = 1.875, of what is busy and what is not.
    const low = { arrivals: [0, 0, 0], recentArrivals: [7, 0, 0], recentRatePerS: 0 }
    expect(changesOf({ ...quiet, ...low }, basisOf(exact))).toEqual({ a: 1, b: 2 })
  })

  it('what is over in a long window asks for nothing', () => {
    const plan = planOf({
      envelope: [
        { windowMs: 100, arrivals: 20 },
        { windowMs: 60_000, arrivals: 6500 },
      ],
    })
    const after = stateOf({ arrivals: [10, 12_000], recentArrivals: [20, 12_000] })
    expect(decide({ ...after, recentRatePerS: 100 }, basisOf({ plan }))).toBeUndefined()
    expect(changesOf({ ...after, recentRatePerS: 200 }, basisOf({ plan, headroom: 0 }))).toEqual({
      a: 4,
      b: 10,
    })
  })
})

describe('limits', () => {
  const arrivals = [60, 100, 1000]

  it('of replicas hold each stage', () => {
    const basis = basisOf({ headroom: 0, limits: { maxReplicas: 10 } })
    const decision = decide(stateOf({ arrivals }), basis)
    expect(changesOf(stateOf({ arrivals }), basis)).toEqual({ a: 8, b: 10 })
    expect(decision?.reason).toMatch(/, limited by at most 10 replicas of b$/)
    const least = basisOf({ limits: { minReplicas: 2 } })
    expect(changesOf(stateOf({ a: 3 }), least)).toEqual({ a: 2, b: 2 })
  })

  it.each([
    ['cores', { limits: { cores: 14 } }, '14 cores'],
    ['a budget', { limits: { budgetPerHour: 7 }, hardware }, '7/h'],
  ])('of %s are shared in proportion to what is needed', (_, options, text) => {
    const basis = basisOf({ headroom: 0, ...options })
    const decision = decide(stateOf({ arrivals }), basis)
    // 14 in all, of 8 and 20 that are wanted.
    expect(changesOf(stateOf({ arrivals }), basis)).toEqual({ a: 4, b: 10 })
    expect(decision?.reason).toMatch(new RegExp(`, limited by ${text}$`))
  })

  it('take nothing away, and leave nothing to decide', () => {
    const basis = basisOf({ limits: { cores: 3, maxReplicas: 1 } })
    const state = stateOf({ arrivals })
    expect(decide(state, basis)).toBeUndefined()
    // 60 is over what 2 and 5 replicas are good for; nothing can be done about that before time passes.
    expect(arrivalLimits(state, basis)).toEqual([Number.POSITIVE_INFINITY, 154, 1166])
  })
})

describe('a reason', () => {
  it('says which window, what was planned, and what is done', () => {
    const plan = planOf({ envelope: [{ windowMs: 320, arrivals: 48 }] })
    const basis = basisOf({ method: 'inferline', plan })
    const decision = decide(stateOf({ arrivals: [68], b: 30 }), basis)
    expect(decision?.reason).toBe('window 0.32 s: 213/s over 150/s planned -> a 2 to 5')
    const down = decide(stateOf({ arrivals: [0], b: 1, recentRatePerS: 12.34 }), basis)
    expect(down?.reason).toBe('12.3/s at most over 5 s in the last 30 s, 100/s planned -> a 2 to 1')
    const below = decide(stateOf({ arrivals: [30], a: 1 }), basis)
    expect(below?.reason).toBe(
      'window 0.32 s: 93.8/s over what 1 a, 5 b can take, of 150/s planned -> a 1 to 2',
    )
  })
})

describe('between decisions', () => {
  it('fewer arrivals than the limits change nothing, and one more does', () => {
    for (const method of ['level', 'inferline'] as const) {
      const basis = basisOf({ method })
      for (const [a, b] of [
        [2, 5],
        [1, 2],
        [3, 8],
        [20, 6],
      ]) {
        const counts = { a: a ?? 0, b: b ?? 0, quietMs: 1e9 }
        const limits = arrivalLimits(stateOf(counts), basis)
        expect(decide(stateOf({ ...counts, arrivals: limits }), basis)).toBeUndefined()
        for (const at of limits.keys()) {
          const arrivals = limits.map((limit, window) => (window === at ? limit + 1 : 0))
          expect(decide(stateOf({ ...counts, arrivals }), basis)?.direction).toBe('up')
        }
      }
    }
  })
})

describe('the quiet time', () => {
  it('doubles each time that some went too soon, and is as it was when none did', () => {
    const quiet = new QuietTime(basisOf({ quietMs: 10, longestQuietMs: 45 }).rules)
    const cycle = (downMs: number, upMs: number) => {
      quiet.changed('down', downMs)
      quiet.changed('up', upMs)
      return quiet.quietMs
    }
    quiet.changed('up', 0)
    expect(quiet.quietMs).toBe(10)
    expect([cycle(10, 49), cycle(100, 179), cycle(200, 359), cycle(1000, 1180)]).toEqual([
      20, 40, 45, 10,
    ])
  })
})
