import { describe, expect, it } from 'vitest'
import { bucketsPerWindow, LiveEnvelope } from '../../src/tuner/live-envelope.ts'
import { RecentRate } from '../../src/tuner/recent-rate.ts'
import { Random } from '../../src/workload/random.ts'

/** Arrivals up to the newest and less than a window before it. */
function bruteForce(arrivalsMs: readonly number[], windowMs: number): number {
  const nowMs = arrivalsMs.at(-1) ?? 0
  return arrivalsMs.filter((atMs) => nowMs - atMs < windowMs).length
}

/** Times in bursts and lulls, over a span that differs from trace to trace. */
function randomArrivals(random: Random): readonly number[] {
  const meanMs = 10 ** (4 * random.uniform() - 2)
  let atMs = 0
  return Array.from({ length: 250 }, () => {
    const gap = -Math.log(1 - random.uniform()) * meanMs
    atMs += random.uniform() < 0.3 ? 0 : random.uniform() < 0.02 ? 200 * gap : gap
    return atMs
  })
}

describe('a live envelope', () => {
  it('counts no more than the window holds, and all but the oldest part of it, on random traces', () => {
    const random = new Random({ seed: 3 })
    for (let round = 0; round < 60; round++) {
      const firstMs = 10 ** (3 * random.uniform() - 1)
      const doubles = [1, 2, 4, 8, 64].map((times) => times * firstMs)
      const windowsMs = round % 2 === 0 ? doubles : [firstMs, 1.37 * firstMs, 17.3 * firstMs]
      const missed = round % 2 === 0 ? 1 / bucketsPerWindow : 2 / bucketsPerWindow
      const envelope = new LiveEnvelope(windowsMs)
      const arrivalsMs = randomArrivals(random)
      const wrong = arrivalsMs.flatMap((atMs, at) => {
        envelope.add(atMs)
        const soFar = arrivalsMs.slice(0, at + 1)
        return envelope.counts().filter((count, window) => {
          const windowMs = windowsMs[window] as number
          const least = bruteForce(soFar, windowMs * (1 - missed) - 1e-9)
          return count < least || count > bruteForce(soFar, windowMs)
        })
      })
      expect(wrong).toEqual([])
    }
  })

  it('says with which arrival a window holds more than its limit', () => {
    const envelope = new LiveEnvelope([10, 100])
    envelope.setLimits([3, 5])
    const times = [0, 1, 2, 30, 31, 60, 61, 62, 63]
    // Five at once fill the long window with the sixth; the short one is over with the fourth of 60 to 63.
    expect(times.filter((atMs) => envelope.add(atMs))).toEqual([60, 61, 62, 63])
    envelope.setLimits([3, Number.POSITIVE_INFINITY])
    expect(envelope.add(64)).toBe(true)
    expect(envelope.add(80)).toBe(false)
  })

  it('forgets what is older than its windows, after any pause', () => {
    const envelope = new LiveEnvelope([10, 20, 60_000])
    for (let at = 0; at < 50; at++) envelope.add(at / 10)
    expect(envelope.counts()).toEqual([50, 50, 50])
    envelope.advance(15)
    expect(envelope.counts()).toEqual([0, 50, 50])
    envelope.advance(1e9)
    expect(envelope.counts()).toEqual([0, 0, 0])
    envelope.add(1e9)
    expect(envelope.counts()).toEqual([1, 1, 1])
  })

  it('tells the most of each window since it was asked before', () => {
    const envelope = new LiveEnvelope([10, 1000])
    for (const atMs of [0, 1, 2, 3, 50]) envelope.add(atMs)
    expect(envelope.takePeaks()).toEqual([4, 5])
    envelope.add(51)
    expect(envelope.takePeaks()).toEqual([2, 6])
    envelope.advance(5000)
    expect(envelope.takePeaks()).toEqual([2, 6])
    expect(envelope.takePeaks()).toEqual([0, 0])
  })
})

describe('the highest recent rate', () => {
  it('is that of the fullest window of steps, among the last ones', () => {
    const rate = new RecentRate({ stepMs: 1000, windowMs: 2000, historyMs: 4000 })
    const rates = [10, 30, 20, 0, 0, 0, 4].map((arrivals) => {
      rate.push(arrivals)
      return rate.highestPerS()
    })
    expect(rates).toEqual([5, 20, 25, 25, 25, 10, 2])
  })

  it('is nothing before anything came, and looks back over a window at least', () => {
    expect(new RecentRate({ stepMs: 1, windowMs: 5, historyMs: 30 }).highestPerS()).toBe(0)
    const short = new RecentRate({ stepMs: 1000, windowMs: 1000, historyMs: 1000 })
    short.push(7)
    expect(short.highestPerS()).toBe(7)
  })
})
