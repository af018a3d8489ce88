// The exact planner: by hand where that is possible, else against every configuration there is.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { Simulator } from '../../src/estimator/simulator.ts'
import { InfeasibleError } from '../../src/planner/infeasible-error.ts'
import { allowedLate } from '../../src/planner/judge.ts'
import type { Plan, PlanLimits } from '../../src/planner/plan.ts'
import { readPlan, writePlan } from '../../src/planner/plan-file.ts'
import { Planner } from '../../src/planner/planner.ts'
import { Trace } from '../../src/workload/trace.ts'
import { hardware, profileOf, stage, steadyTrace, tier } from './estimator-profiles.ts'
import {
  costOf,
  leastCostOfAll,
  type SmallQuestion,
  smallQuestion,
  smallReplicas,
  twoTiers,
} from './planner-questions.ts'
import { rejectionOf } from './thrown.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-planner-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function planOf(
  { profile, trace, latencyMs, percentile }: SmallQuestion,
  limits: PlanLimits = {},
): Promise<Plan> {
  const planner = new Planner({ profile, hardware: twoTiers })
  return await planner.plan(trace, {
    objective: { latencyMs, percentile },
    limits: { maxReplicas: smallReplicas, ...limits },
  })
}

/** Infinite where there is no plan. */
async function leastCost(question: SmallQuestion): Promise<number> {
  try {
    return (await planOf(question)).costPerHour
  } catch (error) {
    if (error instanceof InfeasibleError) return Number.POSITIVE_INFINITY
    throw error
  }
}

async function isMet(plan: Plan, question: SmallQuestion): Promise<boolean> {
  const { profile, trace, latencyMs, percentile } = question
  const simulator = new Simulator({ profile, hardware: twoTiers, trace })
  const [late = 0] = await simulator.countLate([plan.configuration], { latencyMs })
  return late <= allowedLate(trace.arrivalsMs.length, percentile)
}

describe('a single stage', () => {
  // Batches of two take 12 ms, and two arrive in that time: they leave 20 ms after the first of them came.
  const planner = new Planner({
    profile: profileOf({ a: stage({ 1: 10, 2: 12, 4: 20 }) }),
    hardware,
  })
  const trace = steadyTrace(200, 6)

  it('has one replica where batches keep up within the objective', async () => {
    const plan = await planner.plan(trace, { objective: { latencyMs: 20 } })
    expect(plan.costPerHour).toBe(0.5)
    expect(plan.configuration).toMatchObject({ a: { tier: 'cpu-1', replicas: 1 } })
    expect(plan.configuration['a']?.maxBatch).toBeGreaterThan(1)
    expect(plan.estimate).toMatchObject({ maxMs: 20, attainment: 1, requests: 200 })
  })

  it('has two where the objective leaves no time for batches', async () => {
    const plan = await planner.plan(trace, { objective: { latencyMs: 19.9 } })
    expect(plan.costPerHour).toBe(1)
    expect(plan.configuration).toMatchObject({ a: { tier: 'cpu-1', replicas: 2 } })
  })

  it('says truly why there are two', async () => {
    const plan = await planner.plan(trace, {
      objective: { latencyMs: 19.9 },
      limits: { maxBatch: 1 },
    })
    expect(plan.reasons['a']).toMatch(/^2 replicas: with 1, 9\d(\.\d)? % of requests would be late/)
    expect(plan.reasons['a']).toContain('(1 % allowed); batch 1: the smallest; cpu-1: the cheapest')
  })
})

describe('a batch that could be smaller', () => {
  it('is taken where fewer requests are late, which the reason says', async () => {
    const planner = new Planner({
      profile: profileOf({ a: stage({ 1: 10, 2: 12, 4: 20 }) }),
      hardware,
    })
    const trace = Trace.gamma({ ratePerS: 90, cv2: 4, durationMs: 20_000, seed: 3 })
    const plan = await planner.plan(trace, { objective: { latencyMs: 120, percentile: 90 } })
    expect(plan.reasons['a']).toMatch(
      /batch \d: with \d, [\d.]+ % of requests would be late instead of [\d.]+ %/,
    )
  })
})

describe('the optimal plan', () => {
  const seeds = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]
  it.each(seeds)('costs what the best of all configurations does, in question %i', async (seed) => {
    const question = smallQuestion(seed)
    expect(await leastCost(question)).toBeCloseTo(await leastCostOfAll(question), 9)
  })

  it('has a finite answer in most of these questions', async () => {
    const costs = await Promise.all(seeds.map((seed) => leastCost(smallQuestion(seed))))
    expect(costs.filter(Number.isFinite).length).toBeGreaterThan(seeds.length / 2)
    expect(new Set(costs).size).toBeGreaterThan(4)
  })

  it('meets its objective, at the cost it says', async () => {
    const question = { ...smallQuestion(2), latencyMs: 60 }
    const plan = await planOf(question)
    expect(await isMet(plan, question)).toBe(true)
    expect(plan.costPerHour).toBeCloseTo(costOf(plan.configuration), 12)
    expect(plan.estimate.costPerHour).toBeCloseTo(plan.costPerHour, 12)
  })

  it.each([1, 2, 3])('is never dearer for a looser objective, in question %i', async (seed) => {
    const costs: number[] = []
    for (const latencyMs of [20, 30, 45, 70, 120]) {
      costs.push(await leastCost({ ...smallQuestion(seed), latencyMs }))
    }
    expect(costs).toEqual(costs.toSorted((a, b) => b - a))
  })

  it.each([1, 2, 3])('is never cheaper for a higher percentile, in question %i', async (seed) => {
    const costs: number[] = []
    for (const percentile of [80, 95, 99, 99.9]) {
      costs.push(await leastCost({ ...smallQuestion(seed), latencyMs: 50, percentile }))
    }
    expect(costs).toEqual(costs.toSorted((a, b) => a - b))
  })

  it('has the same bytes for the same question', async () => {
    const question = { ...smallQuestion(3), latencyMs: 60 }
    expect(JSON.stringify(await planOf(question))).toBe(JSON.stringify(await planOf(question)))
  })

  it('is a plan by its schema, and read back as it was written', async () => {
    const plan = await planOf({ ...smallQuestion(5), latencyMs: 60 })
    await writePlan(join(folder, 'plan.json'), plan)
    expect(await readPlan(join(folder, 'plan.json'))).toEqual(plan)
  })

  it('counts no more configurations than there are', async () => {
    const { search } = await planOf({ ...smallQuestion(2), latencyMs: 60 })
    expect(search.candidates).toBe((2 * 3 * smallReplicas) ** 2)
    const ruledOut = Object.values(search.ruledOut).reduce((sum, each) => sum + each, 0)
    expect(ruledOut).toBeLessThanOrEqual(search.candidates)
    expect(search.simulated).toBeGreaterThan(0)
  })
})

describe('limits', () => {
  const question = { ...smallQuestion(2), latencyMs: 60 }

  it('hold for batches, replicas and tiers', async () => {
    const plan = await planOf(question, { maxBatch: 2, maxReplicas: 2 })
    for (const { maxBatch, replicas } of Object.values(plan.configuration)) {
      expect(maxBatch).toBeLessThanOrEqual(2)
      expect(replicas).toBeLessThanOrEqual(2)
    }
    const onGpu = await planOf(question, { tiers: ['k80'] })
    expect(Object.values(onGpu.configuration).map((each) => each.tier)).toEqual(['k80', 'k80'])
  })

  it('hold for cores', async () => {
    const plan = await planOf(question, { cores: 1 })
    const onCpu = Object.values(plan.configuration).filter((each) => each.tier === 'cpu-1')
    expect(onCpu.reduce((sum, { replicas }) => sum + replicas, 0)).toBeLessThanOrEqual(1)
  })

  it('hold for memory, of which replicas of one thread share the model', async () => {
    const heavy = { ...tier({ 1: 10 }), modelMb: 100, replicaMb: 10 }
    const profile = profileOf({ a: { scaleFactor: 1, tiers: { 'cpu-1': heavy } } })
    const planner = new Planner({ profile, hardware: twoTiers })
    const asked = (memoryMb: number): Promise<Plan> =>
      planner.plan(steadyTrace(100, 6), { objective: { latencyMs: 12 }, limits: { memoryMb } })
    expect((await asked(120)).configuration['a']?.replicas).toBe(2)
    expect(await rejectionOf(() => asked(119))).toMatchObject({ constraint: 'memory' })
  })

  it('allow a plan that costs the whole budget, and none that costs more', async () => {
    const { costPerHour } = await planOf(question)
    expect((await planOf(question, { budgetPerHour: costPerHour })).costPerHour).toBe(costPerHour)
    const error = await rejectionOf(() => planOf(question, { budgetPerHour: costPerHour - 0.01 }))
    expect(error).toMatchObject({ code: 'MILLRACE_INFEASIBLE', constraint: 'budget' })
  })
})
