// Profiles of models on a real second device; minutes over SwiftShader, where there is no GPU.
import { describe, expect, it } from 'vitest'
import { checkProfile, Estimator, Profiler, Trace } from '../../src/index.ts'
import { skipWebGpu } from '../engine/webgpu.ts'
import { brief, pipeline, samples } from '../engine/webgpu-digits.ts'

describe.skipIf(skipWebGpu)('a profile of WebGPU', () => {
  it('has each stage on the tiers of its providers, and how replicas share the device', async () => {
    const tiers = ['cpu-1', 'webgpu']
    const profile = await new Profiler(pipeline, { samples, tiers, maxBatch: 1, ...brief }).run()
    expect(checkProfile(JSON.parse(JSON.stringify(profile)), 'profile')).toEqual(profile)
    expect(Object.keys(profile.stages['fast']?.tiers ?? {})).toEqual(['cpu-1'])
    expect(Object.keys(profile.stages['accurate']?.tiers ?? {})).toEqual(['cpu-1', 'webgpu'])
    expect(profile.contention?.[0]).toEqual({ busyThreads: 1, slowdown: 1 })
    const { webgpu = [] } = profile.sharing ?? {}
    expect(webgpu.map(({ busyReplicas }) => busyReplicas)).toEqual([1, 2, 4])

    const price = { pricePerHour: 1 }
    const hardware = {
      version: 1,
      tiers: { 'cpu-1': { kind: 'cpu', ...price }, webgpu: { kind: 'webgpu', ...price } },
    } as const
    const replica = { replicas: 1, maxBatch: 1 }
    const configuration = {
      fast: { tier: 'cpu-1', ...replica },
      accurate: { tier: 'webgpu', ...replica },
    }
    const trace = new Trace({ arrivalsMs: [0, 1, 2, 3] })
    const estimator = new Estimator({ profile, hardware })
    const estimate = await estimator.estimate(configuration, {
      trace,
      objective: { latencyMs: 1000 },
    })
    expect(estimate).toMatchObject({ requests: 4, costPerHour: 2 })
  })
})
