import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Shed, ShedReporter } from '../../src/engine/shed-reporter.ts'

describe('a reporter of shed requests', () => {
  let told: Shed[]
  let reporter: ShedReporter

  beforeEach(() => {
    vi.useFakeTimers()
    told = []
    reporter = new ShedReporter((shed) => told.push(shed))
  })
  afterEach(() => void vi.useRealTimers())

  it('tells the first at once, but not from within, then once a second', () => {
    reporter.count(undefined)
    reporter.count('work')
    expect(told).toEqual([])
    vi.advanceTimersByTime(1)
    expect(told).toEqual([{ requests: 2, stages: { work: 1 } }])
    for (let round = 0; round < 20; round++) {
      reporter.count(round % 2 ? 'constructor' : 'join')
      vi.advanceTimersByTime(100)
    }
    expect(told.length).toBeLessThanOrEqual(3)
    expect(told[1]).toEqual({ requests: 10, stages: { join: 5, constructor: 5 } })
  })

  it('tells nothing where there is nothing to tell', () => {
    reporter.flush()
    reporter.count('work')
    vi.advanceTimersByTime(60_000)
    reporter.flush()
    expect(told).toHaveLength(1)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('tells what is left when it is asked to', () => {
    reporter.count(undefined)
    vi.advanceTimersByTime(1)
    reporter.count(undefined)
    reporter.flush()
    expect(told).toEqual([
      { requests: 1, stages: {} },
      { requests: 1, stages: {} },
    ])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('counts for who holds it weakly, conditions by their own names', () => {
    const weak = reporter.weakly()
    weak('a:when')
    vi.advanceTimersByTime(1)
    weak('a:when')
    vi.advanceTimersByTime(998)
    expect(told).toEqual([{ requests: 1, stages: { 'a:when': 1 } }])
    vi.advanceTimersByTime(3)
    expect(told).toHaveLength(2)
  })
})
