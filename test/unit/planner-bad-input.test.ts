import { describe, expect, it } from 'vitest'
import { Planner } from '../../src/planner/planner.ts'
import type { PlanOptions } from '../../src/planner/question.ts'
import type { Tier } from '../../src/profile/hardware.ts'
import { hardware, profileOf, stage, steadyTrace } from './estimator-profiles.ts'
import { rejectionOf } from './thrown.ts'

const planner = new Planner({ profile: profileOf({ a: stage({ 1: 10 }) }), hardware })
const objective = { latencyMs: 20 }

describe('a planner', () => {
  it.each([
    [{ objective: { latencyMs: 0 } }],
    [{ objective: { latencyMs: Number.NaN } }],
    [{ objective, limits: { tiers: [] } }],
    [{ objective, limits: { tiers: ['tpu'] } }],
    [{ objective, limits: { maxReplicas: 0 } }],
    [{ objective, limits: { minAccuracy: 2 } }],
    [{ objective, limits: { replicas: 3 } }],
    [{ objective, percentile: 99 }],
    [{ objective: { latencyMs: 20, percentile: 100 } }],
    [{}],
  ])('refuses %j', async (options) => {
    const error = await rejectionOf(() => planner.plan(steadyTrace(10, 20), options as PlanOptions))
    expect(error.code).toBe('MILLRACE_INVALID_OPTION')
  })

  it('wants a price for one tier at least of each stage', async () => {
    const unpriced = { ...hardware, tiers: { k80: hardware.tiers['k80'] as Tier } }
    const without = new Planner({ profile: profileOf({ a: stage({ 1: 10 }) }), hardware: unpriced })
    const error = await rejectionOf(() => without.plan(steadyTrace(10, 20), { objective }))
    expect(error.message).toMatch(/stage "a" .* no tier that is priced and allowed/)
  })

  it('stops when its signal is aborted', async () => {
    const options = { objective, signal: AbortSignal.abort() }
    const error = await rejectionOf(() => planner.plan(steadyTrace(10, 20), options))
    expect(error.code).toBe('MILLRACE_CANCELLED')
  })

  it('names what binds, and the closest objective, which can be met', async () => {
    const trace = steadyTrace(10, 20)
    const error = await rejectionOf(() => planner.plan(trace, { objective: { latencyMs: 5 } }))
    expect(error).toMatchObject({ code: 'MILLRACE_INFEASIBLE', constraint: 'latency' })
    const { closestLatencyMs: latencyMs } = error as unknown as { closestLatencyMs: number }
    expect((await planner.plan(trace, { objective: { latencyMs } })).estimate.attainment).toBe(1)
  })
})
