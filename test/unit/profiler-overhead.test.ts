import { describe, expect, it } from 'vitest'
import { threadCounts, toContention } from '../../src/profile/contention.ts'
import { longestWay, solveOverhead } from '../../src/profile/overhead.ts'
import { ProgressCounter } from '../../src/profile/profile-progress.ts'

const quick = { idleMs: [0.3, 0.3, 9], busyMs: [0.1, 0.1, 0.1] }

describe('overhead', () => {
  it('of a batch is what many of them take beside service, that of a request the rest', () => {
    expect(solveOverhead({ stages: [quick], paths: [] })).toEqual({ requestMs: 0.2, hopMs: 0.1 })
    const paths = [
      { restMs: 0.9, hops: 3 },
      { restMs: 0.7, hops: 1 },
      { restMs: 0.8, hops: 2 },
    ]
    expect(solveOverhead({ stages: [quick], paths })).toEqual({ requestMs: 0.6, hopMs: 0.1 })
  })

  it('of a request is that of those that were not held up', () => {
    const paths = [9, 0.5, 7, 0.4, 8].map((restMs) => ({ restMs, hops: 1 }))
    expect(solveOverhead({ stages: [quick], paths })).toEqual({ requestMs: 0.4, hopMs: 0.1 })
  })

  it('is never below 0, and 0 where nothing is known', () => {
    const odd = { idleMs: [0.05], busyMs: [0.2] }
    expect(solveOverhead({ stages: [odd], paths: [] })).toEqual({ requestMs: 0, hopMs: 0.2 })
    expect(solveOverhead({ stages: [{ idleMs: [1], busyMs: [-1] }], paths: [] })).toEqual({
      requestMs: 1,
      hopMs: 0,
    })
    expect(solveOverhead({ stages: [], paths: [] })).toEqual({ requestMs: 0, hopMs: 0 })
  })

  it('counts along the way that takes longest', () => {
    const stages = [
      { name: 'decode', serviceMs: 1 },
      { name: 'small', serviceMs: 2 },
      { name: 'large', serviceMs: 5 },
      { name: 'join', serviceMs: 1 },
    ]
    const edges = [
      ['decode', 'small'],
      ['decode', 'large'],
      ['small', 'join'],
      ['large', 'join'],
    ] as const
    expect(longestWay(stages, edges)).toEqual({ serviceMs: 7, hops: 3 })
    expect(longestWay(stages, [])).toEqual({ serviceMs: 5, hops: 1 })
    expect(longestWay([], edges)).toEqual({ serviceMs: 0, hops: 0 })
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
