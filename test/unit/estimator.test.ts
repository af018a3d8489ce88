// Estimates through the addon, each of which can be worked out by hand.
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import type { Estimate, PlannedConfiguration } from '../../src/estimator/estimate.ts'
import { type EstimateOptions, Estimator } from '../../src/estimator/estimator.ts'
import { Simulator } from '../../src/estimator/simulator.ts'
import type { Profile } from '../../src/profile/profile.ts'
import type { Trace } from '../../src/workload/trace.ts'
import {
  configurationOf,
  hardware,
  profileOf,
  stage,
  steadyTrace,
  tier,
  traceOf,
} from './estimator-profiles.ts'
import { errorOf } from './thrown.ts'

const objective = { latencyMs: 30 }
const single = profileOf({ a: stage({ 1: 10, 2: 12, 4: 20 }) })

async function estimateOf(
  profile: Profile,
  given: {
    readonly configuration?: PlannedConfiguration
    readonly trace: Trace
    readonly latencyMs?: number
  },
): Promise<Estimate> {
  const names = Object.keys(profile.stages).map((name) => [name, {}] as const)
  const {
    configuration = configurationOf(Object.fromEntries(names)),
    trace,
    latencyMs = 30,
  } = given
  return new Estimator({ profile, hardware }).estimate(configuration, {
    trace,
    objective: { latencyMs },
  })
}

describe('a single stage', () => {
  it('serves one after the other, in order', async () => {
    // 0-10, 10-20, 20-30, 100-110
    const estimate = await estimateOf(single, { trace: traceOf(0, 1, 2, 100), latencyMs: 20 })
    expect(estimate).toMatchObject({
      requests: 4,
      p50Ms: 10,
      p95Ms: 28,
      p99Ms: 28,
      maxMs: 28,
      attainment: 0.75,
      costPerHour: 0.5,
    })
    const { a } = estimate.stages
    expect(a).toMatchObject({ meanBatch: 1, visits: 4 })
    expect(a?.utilization).toBeCloseTo(40 / 110, 12)
    expect(a?.queueP99Ms).toBeCloseTo(18, 0)
  })

  it('batches what waits, and takes a time between those of the batches profiled', async () => {
    // 0-10 alone, then three of the four that wait, 16 ms, then the last, 10 ms
    const configuration = configurationOf({ a: { maxBatch: 3 } })
    const estimate = await estimateOf(single, { configuration, trace: traceOf(0, 1, 2, 3, 4) })
    expect(estimate).toMatchObject({ p50Ms: 24, maxMs: 32, attainment: 0.8 })
    expect(estimate.stages['a']?.meanBatch).toBeCloseTo(5 / 3, 12)
  })

  it('holds batches back', async () => {
    // Both wait until 6 or a full batch, which comes at 4; the third waits until 106.
    const configuration = configurationOf({ a: { maxBatch: 2, maxDelayMs: 6 } })
    const estimate = await estimateOf(single, { configuration, trace: traceOf(0, 4, 100) })
    expect(estimate).toMatchObject({ p50Ms: 16, maxMs: 16 })
  })

  it('serves on all replicas', async () => {
    const configuration = configurationOf({ a: { replicas: 3 } })
    const estimate = await estimateOf(single, { configuration, trace: traceOf(0, 0, 0, 0) })
    expect(estimate).toMatchObject({ p50Ms: 10, maxMs: 20, costPerHour: 1.5 })
    expect(estimate.stages['a']?.utilization).toBeCloseTo(40 / 60, 12)
  })

  it('that cannot keep up is simulated to its end', async () => {
    const estimate = await estimateOf(single, { trace: steadyTrace(1000, 1), latencyMs: 100 })
    expect(estimate).toMatchObject({ requests: 1000, maxMs: 10 * 1000 - 999 })
    expect(estimate.attainment).toBe(0.011)
  })

  it('has its percentiles by nearest rank', async () => {
    const estimate = await estimateOf(single, {
      trace: steadyTrace(200, 9),
      latencyMs: 110,
    })
    // The n-th takes 10 + n ms, n from 0 to 199.
    expect(estimate).toMatchObject({ p50Ms: 109, p95Ms: 199, p99Ms: 207, maxMs: 209 })
    expect(estimate.attainment).toBe(101 / 200)
  })
})

describe('a cascade', () => {
  const cascade = profileOf(
    { fast: stage({ 1: 2 }), accurate: stage({ 1: 10 }, { scaleFactor: 0.25 }) },
    { edges: [['fast', 'accurate']] },
  )

  it('takes the second stage for a share of requests that depends on seed and request alone', async () => {
    const trace = steadyTrace(10_000, 20)
    const estimate = await estimateOf(cascade, { trace, latencyMs: 5 })
    expect(estimate).toMatchObject({ p50Ms: 2, p95Ms: 12, maxMs: 12 })
    const share = (estimate.stages['accurate']?.visits ?? 0) / 10_000
    expect(share).toBeCloseTo(0.25, 1)
    expect(estimate.attainment).toBeCloseTo(1 - share, 12)
    const again = await estimateOf(cascade, { trace, latencyMs: 5 })
    expect(JSON.stringify(again)).toBe(JSON.stringify(estimate))
  })

  it('may be profiled as paths', async () => {
    const profile = {
      ...cascade,
      stages: { ...cascade.stages, accurate: stage({ 1: 10 }, { scaleFactor: 1 }) },
      paths: [{ share: 3, visits: ['fast', 'accurate'] }],
    }
    const estimate = await estimateOf(profile, { trace: traceOf(0, 50) })
    expect(estimate).toMatchObject({ p50Ms: 12, maxMs: 12 })
  })

  it('costs what requests and batches cost beside their stages', async () => {
    const profile = { ...cascade, overhead: { requestMs: 0.5, hopMs: 0.25, loopMs: 1 } }
    const estimate = await estimateOf(profile, { trace: steadyTrace(1000, 20) })
    expect(estimate).toMatchObject({ p50Ms: 3.75, maxMs: 14 })
  })
})

describe('a replica that has rested', () => {
  it('takes longer for its next batch', async () => {
    const tiers = { 'cpu-1': { ...tier({ 1: 5 }), wakeMs: 2 } }
    const profile = profileOf({ a: { scaleFactor: 1, tiers } })
    const estimate = await estimateOf(profile, { trace: traceOf(0, 1, 40) })
    expect(estimate).toMatchObject({ p50Ms: 7, maxMs: 11 })
  })
})

describe('branches', () => {
  it('run side by side, and what joins them waits for the last', async () => {
    const profile = profileOf(
      { a: stage({ 1: 1 }), left: stage({ 1: 4 }), right: stage({ 1: 7 }), join: stage({ 1: 2 }) },
      {
        edges: [
          ['a', 'left'],
          ['a', 'right'],
          ['left', 'join'],
          ['right', 'join'],
        ],
      },
    )
    expect(await estimateOf(profile, { trace: traceOf(0) })).toMatchObject({ maxMs: 10 })
  })

  it('end a request with the last of them', async () => {
    const profile = profileOf({ left: stage({ 1: 4 }), right: stage({ 1: 7 }) })
    expect(await estimateOf(profile, { trace: traceOf(0) })).toMatchObject({ maxMs: 7 })
  })
})

describe('a page of items', () => {
  const page = profileOf(
    {
      split: stage({ 1: 3 }, { fanOut: true }),
      read: stage({ 1: 5, 4: 8 }, { scaleFactor: 6 }),
      join: stage({ 1: 1 }, { gather: 'split' }),
    },
    {
      edges: [
        ['split', 'read'],
        ['read', 'join'],
      ],
      paths: [
        {
          share: 1,
          visits: ['split', 'join'],
          items: { split: [{ times: 6, visits: ['read'] }] },
        },
      ],
    },
  )

  it('has its items read in batches, and joined when the last is there', async () => {
    // split 0-3, four items 3-11, two items 11-17, join 17-18
    const configuration = configurationOf({ split: {}, read: { maxBatch: 4 }, join: {} })
    const estimate = await estimateOf(page, { configuration, trace: traceOf(0) })
    expect(estimate.maxMs).toBe(18)
    expect(estimate.stages['read']).toMatchObject({ visits: 6, meanBatch: 3 })
    expect(estimate.stages['join']).toMatchObject({ visits: 1 })
  })

  it('may come in rows', async () => {
    const profile = {
      ...single,
      stages: { a: stage({ 1: 10, 2: 12 }, { scaleFactor: 3 }) },
      paths: [{ share: 1, rows: [{ times: 3, visits: ['a'] }] }],
    }
    const configuration = configurationOf({ a: { maxBatch: 2 } })
    const estimate = await estimateOf(profile, { configuration, trace: traceOf(0) })
    expect(estimate).toMatchObject({ requests: 1, maxMs: 22 })
    expect(estimate.stages['a']).toMatchObject({ visits: 3, meanBatch: 1.5 })
  })
})

describe('contention', () => {
  const contention = [
    { busyThreads: 1, slowdown: 1 },
    { busyThreads: 2, slowdown: 1.5 },
  ]

  it('slows down all that is busy, and more threads in proportion', async () => {
    const profile = { ...single, contention }
    const configuration = configurationOf({ a: { replicas: 4 } })
    const two = await estimateOf(profile, { configuration, trace: traceOf(0, 0) })
    expect(two.maxMs).toBeCloseTo(15, 5)
    const four = await estimateOf(profile, { configuration, trace: traceOf(0, 0, 0, 0) })
    expect(four.maxMs).toBeCloseTo(30, 5)
  })

  it('is none for what keeps no core busy', async () => {
    const { a } = single.stages
    const profile = {
      ...single,
      stages: { a: { ...a, kind: 'inline', scaleFactor: 1 } },
      contention,
    }
    const configuration = configurationOf({ a: { replicas: 4 } })
    const estimate = await estimateOf(profile as Profile, { configuration, trace: traceOf(0, 0) })
    expect(estimate.maxMs).toBe(10)
  })
})

describe('cores that threads share', () => {
  const timeSharing = { cores: 1, sliceMs: 4 }
  const overhead = { requestMs: 0, hopMs: 0, loopMs: 5, answerMs: 2 }

  it('make one wait for slices of another', async () => {
    const configuration = configurationOf({ a: { replicas: 2 } })
    const trace = traceOf(0, 1)
    const shared = await estimateOf({ ...single, timeSharing }, { configuration, trace })
    // 0-4, 8-12, 16-18 and 4-8, 12-16, 18-20
    expect(shared).toMatchObject({ p50Ms: 18, maxMs: 19 })
    const own = { ...single, timeSharing: { ...timeSharing, cores: 2 } }
    expect(await estimateOf(own, { configuration, trace })).toMatchObject({ maxMs: 10 })
  })

  it('are shared with the event loop, which takes a request and answers it', async () => {
    const profile = { ...single, timeSharing: { cores: 1, sliceMs: 100 }, overhead }
    const estimate = await estimateOf(profile, { trace: traceOf(0, 1) })
    expect(estimate).toMatchObject({ p50Ms: 28, maxMs: 29 })
    const lone = await estimateOf(profile, { trace: traceOf(0) })
    expect(lone.maxMs).toBe(15)
  })

  it('are not taken by what waits for others', async () => {
    const a = { ...single.stages['a'], kind: 'inline', scaleFactor: 1 }
    const profile = { ...single, stages: { a }, timeSharing } as Profile
    const configuration = configurationOf({ a: { replicas: 2 } })
    expect((await estimateOf(profile, { configuration, trace: traceOf(0, 0) })).maxMs).toBe(10)
  })
})

describe('a device that replicas share', () => {
  const sharing = {
    k80: [
      { busyReplicas: 1, slowdown: 1 },
      { busyReplicas: 2, slowdown: 2 },
    ],
  }
  const onDevice = { scaleFactor: 1, tiers: { k80: tier({ 1: 10 }), 'cpu-1': tier({ 1: 10 }) } }
  const profile = profileOf({ a: onDevice, b: onDevice })

  it('slows down what is busy there, of whatever stages', async () => {
    const configuration = configurationOf({ a: { tier: 'k80', replicas: 2 }, b: { tier: 'k80' } })
    const shared = await estimateOf({ ...profile, sharing }, { configuration, trace: traceOf(0) })
    expect(shared.maxMs).toBeCloseTo(20, 5)
    const own = await estimateOf(profile, { configuration, trace: traceOf(0) })
    expect(own.maxMs).toBe(10)
  })

  it('leaves the processor alone, and is left alone by it', async () => {
    const contention = [
      { busyThreads: 1, slowdown: 1 },
      { busyThreads: 2, slowdown: 3 },
    ]
    const configuration = configurationOf({ a: { tier: 'k80' }, b: {} })
    const both = { ...profile, sharing, contention }
    const estimate = await estimateOf(both, { configuration, trace: traceOf(0) })
    expect(estimate.maxMs).toBe(10)
  })
})

describe('what a configuration costs', () => {
  const stages = {
    a: { scaleFactor: 1, tiers: { 'cpu-1': tier({ 1: 10 }), k80: tier({ 1: 5 }) } },
    b: { scaleFactor: 1, tiers: { 'cpu-1': tier({ 1: 10 }), 'cpu-4': tier({ 1: 5 }) } },
  }
  const profile = profileOf(stages)

  it('is the price of all replicas, and their watts', async () => {
    // a: 2 replicas, 10 of 40 ms busy; b: 1 replica, 20 of 20.
    const configuration = configurationOf({ a: { tier: 'k80', replicas: 2 }, b: {} })
    const estimate = await estimateOf(profile, { configuration, trace: traceOf(0, 0) })
    expect(estimate.costPerHour).toBe(6.5)
    expect(estimate.watts).toBeCloseTo(2 * (30 + 0.25 * 120) + 10, 9)
  })

  it('has no watts where a tier that is used has none', async () => {
    const configuration = configurationOf({ a: {}, b: { tier: 'cpu-4' } })
    const estimate = await estimateOf(profile, { configuration, trace: traceOf(0) })
    expect(estimate).toMatchObject({ costPerHour: 2.5 })
    expect(estimate).not.toHaveProperty('watts')
    expect(estimate).not.toHaveProperty('accuracy')
  })

  it('is accuracy, the product over the models chosen', async () => {
    const models = {
      small: { accuracy: 0.8, tiers: { 'cpu-1': tier({ 1: 1 }) } },
      large: { accuracy: 0.95, tiers: { 'cpu-1': tier({ 1: 4 }) } },
    }
    const { a } = stages
    const chosen = profileOf({ a, b: { scaleFactor: 1, models }, c: { scaleFactor: 1, models } })
    const configuration = configurationOf({ a: {}, b: { model: 'small' }, c: { model: 'large' } })
    const estimate = await estimateOf(chosen, { configuration, trace: traceOf(0) })
    expect(estimate.accuracy).toBeCloseTo(0.76, 12)
    expect(estimate.maxMs).toBe(10)
  })
})

describe('drawn service times', () => {
  const points = [{ batch: 1, meanMs: 4, p99Ms: 12 }]
  const profile = profileOf({ a: { scaleFactor: 1, tiers: { 'cpu-1': { points } } } })
  const trace = steadyTrace(50_000, 50)
  const estimate = (seed: number) =>
    new Estimator({ profile, hardware, seed, serviceTimes: 'drawn' }).estimate(
      configurationOf({ a: {} }),
      { trace, objective },
    )

  it('are the same to the last bit for the same seed, and others for another', async () => {
    const [one, same, other] = await Promise.all([estimate(1), estimate(1), estimate(2)])
    expect(JSON.stringify(same)).toBe(JSON.stringify(one))
    expect(JSON.stringify(other)).not.toBe(JSON.stringify(one))
  })

  it('have the mean and the p99 that were profiled', async () => {
    const { p99Ms, stages } = await estimate(3)
    expect(p99Ms / 12).toBeCloseTo(1, 1)
    const busyMs = (stages['a']?.utilization ?? 0) * (trace.arrivalsMs.at(-1) ?? 0)
    expect(busyMs / 50_000 / 4).toBeCloseTo(1, 1)
  })
})

describe('an estimate', () => {
  const estimator = new Estimator({ profile: single, hardware })
  const configuration = configurationOf({ a: {} })
  const codeOf = async (promise: Promise<unknown>) => {
    const [settled] = await Promise.allSettled([promise])
    if (settled?.status !== 'rejected') return 'none'
    return `${settled.reason.code}: ${settled.reason.message}`
  }

  it('of a million arrivals works', async () => {
    const million = await estimator.estimate(configurationOf({ a: { replicas: 6 } }), {
      trace: steadyTrace(1_000_000, 2),
      objective,
    })
    expect(million).toMatchObject({ requests: 1_000_000, maxMs: 10, attainment: 1 })
  })

  it('is cancelled by its signal, before and while it runs, and no other with it', async () => {
    const trace = steadyTrace(1_000_000, 20)
    const controller = new AbortController()
    const { signal } = controller
    const running = estimator.estimate(configuration, { trace, objective, signal })
    const other = estimator.estimate(configuration, { trace: traceOf(0), objective })
    const same = estimator.estimate(configuration, { trace, objective })
    controller.abort('enough')
    const [cancelled] = await Promise.allSettled([running])
    const reason = expect.objectContaining({ code: 'MILLRACE_CANCELLED', cause: 'enough' })
    expect(cancelled).toEqual({ status: 'rejected', reason })
    const late = estimator.estimate(configuration, { trace, objective, signal })
    expect(await codeOf(late)).toMatch(/^MILLRACE_CANCELLED: /)
    expect(await other).toMatchObject({ requests: 1 })
    expect(await same).toMatchObject({ requests: 1_000_000 })
  })

  it.each<[string, Partial<EstimateOptions>, RegExp]>([
    [
      'objective',
      { objective: { latencyMs: 0 } },
      /objective\.latencyMs: expected a finite number/,
    ],
    ['percentile', { objective: { latencyMs: 1, percentile: 100 } }, /objective\.percentile/],
    ['trace', { trace: [1, 2] as never }, /trace: expected a Trace, got an array of 2/],
    ['arrivals', { trace: { arrivalsMs: Float64Array.of(2, 1) } as never }, /trace: .*got 1 ms/],
    ['NaN', { trace: { arrivalsMs: Float64Array.of(Number.NaN) } as never }, /got NaN ms/],
    ['requests', { trace: { arrivalsMs: new Float64Array() } as never }, /got an empty trace/],
    ['signal', { signal: {} as never }, /signal: expected an AbortSignal, got an empty object/],
    ['options', { slo: 1 } as never, /estimate: unknown key "slo"/],
  ])('says what is wrong with its %s', async (_, options, message) => {
    const given = { trace: traceOf(0), objective, ...options }
    const found = await codeOf(estimator.estimate(configuration, given))
    expect(found).toMatch(/^MILLRACE_INVALID_OPTION/)
    expect(found).toMatch(message)
  })

  it('says what is wrong with its configuration', async () => {
    const found = codeOf(estimator.estimate({}, { trace: traceOf(0), objective }))
    expect(await found).toMatch(/^MILLRACE_INVALID_OPTION: configuration: .* none for "a"; add it/)
  })

  it('says what is wrong with profile, hardware, seed and kind of service times', () => {
    const good = { profile: single, hardware }
    const messageOf = (more: object) =>
      errorOf(() => new Estimator({ ...good, ...more } as never)).message
    expect(messageOf({ profile: {} })).toMatch(/^profile/)
    expect(messageOf({ hardware: { version: 1, tiers: 3 } })).toMatch(/^hardware/)
    expect(messageOf({ seed: -1 })).toMatch(/seed: expected an integer at least 0/)
    expect(messageOf({ serviceTimes: 'means' })).toMatch(/serviceTimes: .*did you mean "mean"/)
  })

  it('can be made in a worker', async () => {
    const code = `
      const { parentPort, workerData } = require('node:worker_threads')
      const addon = require(workerData)
      const simulator = addon.createSimulator({
        stages: [{ predecessors: [], fanOut: false, gather: -1 }],
        paths: [{ share: 1, visits: [[0, 1]], items: [] }],
        requestMs: 0, loopMs: 0, answerMs: 0, cores: 0, sliceMs: 0, slowdown: [], deviceSlowdowns: [], seed: 1, arrivalsMs: Float64Array.of(0, 1),
        numbers: new Uint32Array(),
      })
      const service = simulator.addService(
        { latency: [1, 10], spread: [], hopMs: 0, wakeMs: 0, threads: 1, device: 0, maxBatch: 1, maxDelayMs: 0 })
      simulator.estimate({
        configurations: Float64Array.of(service, 1), latencyMs: 1, threads: 2, drawn: false, run: 0,
      }).then(([report]) => parentPort.postMessage(report.maxMs))`
    const addon = new URL('../../build/Release/millrace.node', import.meta.url).pathname
    const worker = new Worker(code, { eval: true, workerData: addon })
    expect(await new Promise((resolve) => worker.once('message', resolve))).toBe(19)
  })
})

describe('configurations that are tried together', () => {
  const trace = steadyTrace(1000, 5)
  const simulator = new Simulator({ profile: single, hardware, trace })
  const replicas = [1, 2, 3].map((count) => configurationOf({ a: { replicas: count } }))

  it('are counted as they are estimated', async () => {
    const counts = await simulator.countLate(replicas, { latencyMs: 30 })
    const estimates = await simulator.estimate(replicas, { latencyMs: 30 })
    expect([...counts]).toEqual([995, 0, 0])
    expect(estimates.map(({ attainment }) => attainment)).toEqual([0.005, 1, 1])
  })

  it('are given up when enough requests are late', async () => {
    const counts = await simulator.countLate(replicas, { latencyMs: 30, enough: 10 })
    expect([...counts]).toEqual([11, 0, 0])
  })

  it('tell which other largest batches would have come to the same', async () => {
    const late = { latencyMs: 30 }
    const counted = await simulator.countLateByBatch(replicas, late)
    expect(counted.map((each) => each.late)).toEqual([
      ...(await simulator.countLate(replicas, late)),
    ])
    for (const [index, { largestBatches }] of counted.entries()) {
      expect(largestBatches).toHaveLength(1)
      expect(largestBatches[0]).toBeGreaterThanOrEqual(1)
      expect(largestBatches[0]).toBeLessThanOrEqual(replicas[index]?.['a']?.maxBatch ?? 0)
    }
  })

  it('can be taken through the trace step by step, with replicas that change', () => {
    const run = simulator.simulate(replicas[0] as PlannedConfiguration)
    expect(run.advance(100)).toBe(true)
    expect(run.stats({ latencyMs: 30 })).toMatchObject({ nowMs: 100, arrived: 21, finished: 10 })
    run.setReplicas('a', 20)
    run.advance(111)
    expect(run.stats({ latencyMs: 30 }).stages['a']).toMatchObject({ waitingRows: 0, replicas: 20 })
    run.setStage('a', { tier: 'cpu-1', maxBatch: 4, replicas: 1 })
    expect(run.advance(Number.POSITIVE_INFINITY)).toBe(false)
    expect(run.stats({ latencyMs: 30 })).toMatchObject({ arrived: 1000, finished: 1000 })
    expect(errorOf(() => run.setReplicas('b', 1)).message).toMatch(/has no stage "b"/)
    expect(errorOf(() => run.advance(5)).message).toMatch(/toMs: expected a finite number/)
  })
})
