import { describe, expect, it } from 'vitest'
import { MillraceError } from '../../src/errors.ts'
import { threadCounts, toContention } from '../../src/profile/contention.ts'
import { EstimatedTimes } from '../../src/profile/estimated-times.ts'
import { fitContention } from '../../src/profile/fit-contention.ts'
import { fitHops } from '../../src/profile/fit-hops.ts'
import { burstSize, measureBurst } from '../../src/profile/measure-burst.ts'
import { asItRan, requestTime, withHops } from '../../src/profile/overhead.ts'
import type { Profile } from '../../src/profile/profile.ts'
import { ProgressCounter } from '../../src/profile/profile-progress.ts'

const point = (batch: number, meanMs: number) => ({ batch, meanMs, p99Ms: meanMs })
const profile: Profile = {
  version: 1,
  pipeline: 'cascade',
  stages: {
    fast: { scaleFactor: 1, tiers: { 'cpu-1': { points: [point(1, 2), point(3, 4)], wakeMs: 1 } } },
    sure: { scaleFactor: 0.5, tiers: { 'cpu-1': { points: [point(1, 10)] } } },
    rare: { scaleFactor: 0.5, tiers: { 'cpu-1': { points: [point(1, 1)] } } },
  },
  edges: [
    ['fast', 'sure'],
    ['fast', 'rare'],
  ],
  paths: [
    { share: 1, visits: ['fast', 'sure'] },
    { share: 1, visits: ['fast', 'rare'] },
  ],
}
const ran = {
  fast: { batches: 4, rows: 4, serviceMs: 20, busyMs: 24 },
  sure: { batches: 2, rows: 2, serviceMs: 18, busyMs: 18.2 },
}
const configuration = Object.fromEntries(
  Object.keys(profile.stages).map((name) => {
    return [name, { tier: 'cpu-1', maxBatch: 1, replicas: 1 }]
  }),
)

describe('overhead', () => {
  it('of a batch is what kept its replica beside service; of stages that did not run, the median', () => {
    const { stages, overhead } = withHops(profile, { ran, loopMs: 0.5, answerMs: 0.2 })
    expect(stages['fast']?.hopMs).toBe(1)
    expect(stages['sure']?.hopMs).toBe(0.1)
    expect(stages['rare']?.hopMs).toBeUndefined()
    expect(overhead).toEqual({ requestMs: 0, hopMs: 0.1, loopMs: 0.5, answerMs: 0.2 })
    const odd = { fast: { batches: 1, rows: 1, serviceMs: 2, busyMs: 1 } }
    expect(withHops(profile, { ran: odd, loopMs: 0, answerMs: 0 }).stages['fast']?.hopMs).toBe(0)
  })

  it('of a request is what its latency has beside the rest, held-up rounds not counted', () => {
    const latenciesMs = [
      [5, 90, 5],
      [3, 3, 3],
    ]
    expect(requestTime({ latenciesMs }, 3.5)).toBe(0.5)
    expect(requestTime({ latenciesMs }, 9)).toBe(0)
  })

  it('is told from a machine that has become slower by the stage that takes longest', () => {
    const slower = asItRan(profile, { ran, requests: 4 })
    // Four batches of 2 ms, each after a rest of 1 ms more, were to take 12 ms and took 20: no more than a third is believed.
    expect(slower.stages['fast']?.tiers?.['cpu-1']).toMatchObject({
      points: [{ meanMs: 8 / 3 }, { meanMs: 16 / 3 }],
      wakeMs: 4 / 3,
    })
    expect(slower.stages['sure']).toEqual(profile.stages['sure'])
    const rows = { fast: { batches: 2, rows: 4, serviceMs: 6.3, busyMs: 7 } }
    const [one] = asItRan(profile, { ran: rows, requests: 0 }).stages['fast']?.tiers?.['cpu-1']
      ?.points ?? [point(1, 0)]
    expect(one?.meanMs).toBeCloseTo(2.1, 10)
    expect(asItRan(profile, { ran: {}, requests: 0 })).toBe(profile)
  })

  it('is beside what the estimator makes of requests that meet no other, by how often they come', async () => {
    const overhead = { requestMs: 0, hopMs: 0.25, loopMs: 0.5 }
    const times = new EstimatedTimes(configuration)
    const lone = await times.loneMs({ ...profile, overhead })
    expect(lone).toBeCloseTo(0.5 + (2 + 1 + 0.25) + (10 + 1) / 2 + 0.25, 6)
  })
})

describe('contention', () => {
  it('is looked at up to twice the cores', () => {
    expect(threadCounts(1)).toEqual([1, 2])
    expect(threadCounts(2)).toEqual([1, 2, 3, 4])
    expect(threadCounts(16)).toEqual([1, 2, 3, 4, 6, 9, 14, 16, 21, 32])
  })

  it('is the quickest round over that of one thread, and never falls', () => {
    const measured = [
      { busyThreads: 1, roundsMs: [2, 9, 3] },
      { busyThreads: 2, roundsMs: [3, 4, 8] },
      { busyThreads: 3, roundsMs: [2.5, 5, 6] },
      { busyThreads: 4, roundsMs: [9, 4] },
    ]
    expect(toContention(measured).map(({ slowdown }) => slowdown)).toEqual([1, 1.5, 1.5, 2])
  })
})

describe('contention among the stages', () => {
  const contention = [
    { busyThreads: 1, slowdown: 1 },
    { busyThreads: 2, slowdown: 1.2 },
    { busyThreads: 4, slowdown: 2 },
  ]
  /** As if two threads were busy all the time. */
  const estimateMs = async (points: typeof contention) => 100 * (points[1]?.slowdown ?? 1)

  it('is that with which a burst is estimated to take what it took', async () => {
    const fitted = await fitContention(contention, {
      burstMs: 150,
      estimateMs: estimateMs as never,
    })
    expect(fitted[0]).toEqual({ busyThreads: 1, slowdown: 1 })
    expect(fitted[1]?.slowdown).toBeCloseTo(1.5, 1)
    expect(fitted[2]?.slowdown).toBeCloseTo(2.5, 1)
  })

  it('is nowhere below 1, and at most twice what was measured', async () => {
    const slowdownsAt = async (burstMs: number) => {
      const fitted = await fitContention(contention, { burstMs, estimateMs: estimateMs as never })
      return fitted.map(({ slowdown }) => slowdown)
    }
    expect(await slowdownsAt(50)).toEqual([1, 1, 1])
    expect(await slowdownsAt(5000)).toEqual([1, 2.4, 4])
  })

  it('stays as measured where threads are seldom busy together in the burst', async () => {
    const fitted = await fitContention(contention, { burstMs: 150, estimateMs: async () => 100 })
    expect(fitted).toBe(contention)
    // A tenth of the time; that the burst took half as long again has other reasons.
    const seldom = async (points: typeof contention) => 90 + 10 * (points[1]?.slowdown ?? 1)
    const options = { burstMs: 150, estimateMs: seldom as never }
    expect(await fitContention(contention, options)).toBe(contention)
  })

  it('leaves hops as they were, unless a burst takes less than the estimate without any', async () => {
    const { stages } = profile
    const hopping = {
      ...profile,
      stages: { ...stages, fast: { ...stages['fast'], scaleFactor: 1, hopMs: 2 } },
      overhead: { requestMs: 0, loopMs: 0, hopMs: 4 },
    }
    const hopsAt = async (burstMs: number) => {
      const fitted = await fitHops(hopping, {
        burstMs,
        estimateMs: async (given) => 100 + 10 * (given.stages['fast']?.hopMs ?? 0),
      })
      const { fast, sure } = fitted.stages
      return [fast?.hopMs, sure?.hopMs, fitted.overhead?.hopMs]
    }
    expect(await hopsAt(130)).toEqual([2, undefined, 4])
    expect(await hopsAt(50)).toEqual([0.5, undefined, 1])
    const [fast, sure, others] = await hopsAt(110)
    expect(fast).toBeGreaterThan(0.85)
    expect(fast).toBeLessThan(1.15)
    expect(others).toBeCloseTo(2 * (fast ?? Number.NaN), 4)
    expect(sure).toBeUndefined()
  })

  it('is estimated of requests that come at once, by the ways they take', async () => {
    const times = new EstimatedTimes(configuration)
    const twice = {
      ...profile,
      contention: [contention[0], { busyThreads: 2, slowdown: 2 }] as never,
    }
    expect(await times.burstMs(twice, 40)).toBeGreaterThan(await times.burstMs(profile, 40))
    // Half of them take 10 ms in the one replica of "sure".
    expect(await times.burstMs(profile, 40)).toBeGreaterThan(150)
  })

  it('is looked at with requests enough for a third of a second, and room for their rows', () => {
    expect(burstSize(profile, 10)).toEqual({ requests: 30, rows: undefined })
    expect(burstSize(profile, 1000)).toEqual({ requests: 4, rows: undefined })
    const sheets = { ...profile, stages: { fast: { scaleFactor: 1000 } } }
    expect(burstSize(sheets, 0.5)).toEqual({ requests: 32, rows: 64_000 })
  })
})

describe('a burst', () => {
  const terms = { requests: [{}], requestsAtOnce: 16, maxPointMs: 1 }
  const engineOf = (infer: () => Promise<object>) => ({ infer }) as never
  const refused = (code: 'MILLRACE_QUEUE_FULL' | 'MILLRACE_STAGE_FAILED') => {
    return Promise.reject(new MillraceError({ code, message: 'refused' }))
  }
  /** Answers in a later turn, and has room for so many meanwhile. */
  const withRoom = (room: number) => {
    let pending = 0
    return engineOf(async () => {
      if (++pending > room) return refused('MILLRACE_QUEUE_FULL').finally(() => pending--)
      await new Promise((resolve) => setImmediate(resolve))
      pending--
      return {}
    })
  }

  it('is as large as the engine has room for', async () => {
    expect(await measureBurst(withRoom(16), terms)).toMatchObject({ requests: 16 })
    expect(await measureBurst(withRoom(9), terms)).toMatchObject({ requests: 8 })
    expect(await measureBurst(withRoom(3), terms)).toBeUndefined()
  })

  it('fails as its requests do', async () => {
    const failing = engineOf(() => refused('MILLRACE_STAGE_FAILED'))
    await expect(measureBurst(failing, terms)).rejects.toMatchObject({
      code: 'MILLRACE_STAGE_FAILED',
    })
  })
})

describe('progress', () => {
  it('never goes back, and may jump', () => {
    const told: unknown[] = []
    const progress = new ProgressCounter(10, ({ done, total, batch }) => {
      told.push([done, total, batch])
    })
    progress.step({ batch: 4, message: 'one' })
    progress.reach(7, { message: 'the rest does not pay' })
    progress.reach(2, { message: 'late' })
    progress.reach(99, { message: 'the end' })
    expect(told).toEqual([
      [1, 10, 4],
      [7, 10, undefined],
      [7, 10, undefined],
      [10, 10, undefined],
    ])
  })
})
