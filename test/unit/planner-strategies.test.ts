// What each strategy chooses where that can be worked out by hand.
import { describe, expect, it } from 'vitest'
import type { Plan, Strategy } from '../../src/planner/plan.ts'
import { Planner } from '../../src/planner/planner.ts'
import type { Profile } from '../../src/profile/profile.ts'
import { profileOf, steadyTrace, tier, traceOf } from './estimator-profiles.ts'
import { twoTiers as hardware } from './planner-questions.ts'
import { rejectionOf } from './thrown.ts'

// 125 rows a second on a core, at best 333; on the accelerator 250, at best 800.
const one = profileOf({
  a: {
    scaleFactor: 1,
    tiers: { 'cpu-1': tier({ 1: 8, 4: 12 }), k80: tier({ 1: 4, 2: 4, 4: 5 }) },
  },
})
// A hundred a second.
const steady = steadyTrace(1000, 10)
// Twenty at once, a second apart.
const bursts = traceOf(...Array.from({ length: 200 }, (_, at) => 1000 * Math.floor(at / 20)))

function plan(
  profile: Profile,
  {
    strategy,
    latencyMs,
    trace = steady,
  }: { strategy: Strategy; latencyMs: number; trace?: typeof steady },
): Promise<Plan> {
  return new Planner({ profile, hardware, strategy }).plan(trace, { objective: { latencyMs } })
}

describe('inferline', () => {
  it('begins on the fastest tier and goes down to the cheapest that keeps up', async () => {
    const { configuration, costPerHour } = await plan(one, { strategy: 'inferline', latencyMs: 30 })
    expect(configuration['a']).toMatchObject({ tier: 'cpu-1', replicas: 1 })
    expect(costPerHour).toBe(1)
  })

  it('stays on the fastest tier where only that is fast enough', async () => {
    const { configuration } = await plan(one, { strategy: 'inferline', latencyMs: 5 })
    expect(configuration['a']).toMatchObject({ tier: 'k80', replicas: 1 })
  })

  it('doubles batches until the last rows of a burst are in time', async () => {
    const cpu = profileOf({ a: { scaleFactor: 1, tiers: { 'cpu-1': tier({ 1: 8, 2: 8, 4: 8 }) } } })
    // Twenty rows, four at once: five batches of 8 ms.
    const found = await plan(cpu, { strategy: 'inferline', latencyMs: 40, trace: bursts })
    expect(found.estimate.maxMs).toBeLessThanOrEqual(40)
    expect(found.costPerHour).toBe(
      (await plan(cpu, { strategy: 'optimal', latencyMs: 40, trace: bursts })).costPerHour,
    )
  })

  it('says which limit stops it', async () => {
    const planner = new Planner({ profile: one, hardware, strategy: 'inferline' })
    const options = { objective: { latencyMs: 5 }, limits: { tiers: ['cpu-1'] } }
    const error = await rejectionOf(() => planner.plan(steady, options))
    expect(error).toMatchObject({ code: 'MILLRACE_INFEASIBLE' })
  })
})

describe('a coarse-grained plan', () => {
  it('takes the fastest tier, the largest batch within the objective, and boxes for the mean rate', async () => {
    const found = await plan(one, { strategy: 'cg-mean', latencyMs: 30 })
    expect(found.configuration['a']).toEqual({ tier: 'k80', replicas: 1, maxBatch: 4 })
  })

  it('has boxes for the most arrivals in a stretch as long as the objective, for the peak rate', async () => {
    // 20 within 10 ms are 2000 a second, of which a box serves 800.
    const found = await plan(one, { strategy: 'cg-peak', latencyMs: 10, trace: bursts })
    expect(found.configuration['a']).toEqual({ tier: 'k80', replicas: 3, maxBatch: 4 })
  })

  it('may miss the objective, and says so', async () => {
    const found = await plan(one, { strategy: 'cg-mean', latencyMs: 10, trace: bursts })
    expect(found.configuration['a']?.replicas).toBe(1)
    expect(found.estimate.attainment).toBe(8 / 20)
  })

  it('gives every stage as many replicas as the one that needs most', async () => {
    const two = profileOf(
      {
        a: { scaleFactor: 1, tiers: { 'cpu-1': tier({ 1: 4 }) } },
        b: { scaleFactor: 1, tiers: { 'cpu-1': tier({ 1: 19 }) } },
      },
      { edges: [['a', 'b']] },
    )
    const { configuration } = await plan(two, { strategy: 'cg-mean', latencyMs: 30 })
    expect(configuration).toMatchObject({ a: { replicas: 2 }, b: { replicas: 2 } })
  })
})

const variants = profileOf({
  a: {
    scaleFactor: 1,
    models: {
      small: { accuracy: 0.8, tiers: { 'cpu-1': tier({ 1: 4 }) } },
      large: { accuracy: 0.95, tiers: { 'cpu-1': tier({ 1: 18 }) } },
    },
  },
})
const planner = new Planner({ profile: variants, hardware })
const objective = { latencyMs: 50 }

describe('a choice of models', () => {
  it('is the most accurate one unless a lower accuracy is allowed', async () => {
    const best = await planner.plan(steady, { objective })
    expect(best.configuration['a']).toMatchObject({ model: 'large', replicas: 2 })
    expect(best.estimate.accuracy).toBe(0.95)
    const limits = { minAccuracy: 0.75 }
    const cheap = await planner.plan(steady, { objective, limits })
    expect(cheap.configuration['a']).toMatchObject({ model: 'small', replicas: 1 })
    expect(cheap.estimate.accuracy).toBe(0.8)
  })

  it('makes a front: less accuracy, less cost', async () => {
    const front = await planner.frontier(steady, { latenciesMs: [50] })
    expect(front.map(({ costPerHour, estimate }) => [costPerHour, estimate.accuracy])).toEqual([
      [1, 0.8],
      [2, 0.95],
    ])
  })
})

describe('a front of objectives', () => {
  it('costs less the longer a request may take, and leaves out what is beaten', async () => {
    const all = new Planner({ profile: one, hardware })
    const front = await all.frontier(steady, { latenciesMs: [3, 5, 6, 30, 60] })
    expect(front.map((each) => [each.objective.latencyMs, each.costPerHour])).toEqual([
      [5, 2.6],
      [30, 1],
    ])
    const error = await rejectionOf(() => all.frontier(steady, { latenciesMs: [1, 3] }))
    expect(error.code).toBe('MILLRACE_INFEASIBLE')
  })
})

describe('what a plan says beside its configuration', () => {
  it('is why each stage is run this way', async () => {
    const { reasons } = await planner.plan(steady, { objective })
    expect(reasons['a']).toMatch(
      /^2 replicas: with 1, 9\d(\.\d)? % of requests would be late \(1 % allowed\); batch 1: the smallest; large on cpu-1: the cheapest$/,
    )
    const { reasons: fast } = await plan(one, { strategy: 'optimal', latencyMs: 5 })
    expect(fast['a']).toContain('1 replica: the fewest')
    expect(fast['a']).toContain('k80: cpu-1 would take 8 ms of the 5 ms left for it')
  })

  it('is what a tuner needs: an envelope from the service time on, and how full its replicas are', async () => {
    const { tuning, configuration } = await plan(one, { strategy: 'inferline', latencyMs: 30 })
    const { maxBatch } = configuration['a'] ?? { maxBatch: 0 }
    const serviceMs = { 1: 8, 2: 8 + 4 / 3, 4: 12 }[maxBatch] ?? Number.NaN
    expect(tuning.envelope[0]?.windowMs).toBeCloseTo(serviceMs, 6)
    expect(tuning.envelope[0]?.arrivals).toBe(Math.floor(serviceMs / 10) + 1)
    const replicaRatePerS = (1000 * maxBatch) / serviceMs
    expect(tuning.stages['a']?.replicaRatePerS).toBeCloseTo(replicaRatePerS, 6)
    expect(tuning.stages['a']?.load).toBeCloseTo(1000 / 9.99 / replicaRatePerS, 6)
  })
})

describe('a search under way', () => {
  it('is cancelled by its signal', async () => {
    const controller = new AbortController()
    const onProgress = (): void => controller.abort(new Error('enough'))
    const options = { objective, signal: controller.signal, onProgress }
    const error = await rejectionOf(() => planner.plan(steady, options))
    expect(error).toMatchObject({ code: 'MILLRACE_CANCELLED', cause: controller.signal.reason })
  })
})
