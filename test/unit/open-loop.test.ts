import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { type ArrivalOptions, drawArrivalsMs } from '../../bench/load/arrivals.ts'
import { closedLoop } from '../../bench/load/closed-loop.ts'
import { probeEventLoopDelay, watchEventLoopDelay } from '../../bench/load/event-loop-delay.ts'
import { runOpenLoop } from '../../bench/load/open-loop.ts'

const base = { ratePerS: 1000, durationMs: 100, seed: 1, arrivals: 'uniform' } as const

describe('drawn arrivals', () => {
  const long: ArrivalOptions = { ratePerS: 1000, durationMs: 100_000, seed: 3, arrivals: 'poisson' }
  const short = { ...long, durationMs: 100 }

  it.each([0.25, 1, 4])('have the rate and the variation asked for (cv2 %d)', (cv2) => {
    const times = drawArrivalsMs({ ...long, cv2 })
    const { mean, variance } = momentsOf(gapsOf(times))
    expect(1000 / mean / long.ratePerS).toBeCloseTo(1, 1)
    expect(variance / mean ** 2 / cv2).toBeGreaterThan(0.9)
    expect(variance / mean ** 2 / cv2).toBeLessThan(1.1)
  })

  it('are Poisson when no variation is given', () => {
    expect(drawArrivalsMs(short)).toEqual(drawArrivalsMs({ ...short, cv2: 1 }))
  })

  it('have constant gaps when uniform', () => {
    expect([...drawArrivalsMs({ ...base, ratePerS: 50 })]).toEqual([0, 20, 40, 60, 80])
  })

  it('ascend within the duration', () => {
    const times = drawArrivalsMs({ ...long, durationMs: 1000, cv2: 4 })
    expect(Math.min(...gapsOf(times))).toBeGreaterThanOrEqual(0)
    expect(times.at(-1)).toBeLessThan(1000)
  })

  it('follow from the seed', () => {
    expect(drawArrivalsMs(short)).toEqual(drawArrivalsMs(short))
    expect(drawArrivalsMs(short)).not.toEqual(drawArrivalsMs({ ...short, seed: 4 }))
  })

  it.each([
    { ratePerS: 0 },
    { ratePerS: Number.NaN },
    { durationMs: -1 },
    { cv2: 0 },
    { ratePerS: Number.POSITIVE_INFINITY },
  ])('refuse %o', (wrong) => {
    expect(() => drawArrivalsMs({ ...long, ...wrong })).toThrow(RangeError)
  })
})

describe('an open loop', () => {
  it('sends every request once, in order, never before its time', async () => {
    const startMs = performance.now()
    const sentAtMs: number[] = []
    const report = await runOpenLoop({
      ...base,
      send: async (index) => {
        expect(index).toBe(sentAtMs.length)
        sentAtMs.push(performance.now() - startMs)
      },
    })
    expect(report).toMatchObject({ sent: 100, completed: 100, failed: {} })
    for (const [index, atMs] of sentAtMs.entries()) expect(atMs).toBeGreaterThanOrEqual(index)
  })

  it('does not wait for answers', async () => {
    let outstanding = 0
    let mostOutstanding = 0
    const send = async () => {
      mostOutstanding = Math.max(mostOutstanding, ++outstanding)
      await sleep(60)
      outstanding--
    }
    const report = await runOpenLoop({ ...base, send })
    expect(mostOutstanding).toBeGreaterThan(20)
    expect(report.durationMs).toBeGreaterThanOrEqual(100 + 50)
    expect(report.latencyUs.getValueAtPercentile(1)).toBeGreaterThanOrEqual(55_000)
  })

  it('measures latency from the intended start, so a stall counts for all that it delays', async () => {
    const send = async (index: number) => {
      if (index === 20) block(50)
    }
    const { latencyUs, late } = await runOpenLoop({ ...base, send })
    // Requests 20 to 70 wait 50, 49, 48, ... ms: half of all, though each is answered at once.
    expect(latencyUs.getValueAtPercentile(75)).toBeGreaterThan(20_000)
    expect(latencyUs.maxValue).toBeGreaterThan(48_000)
    expect(late).toBeGreaterThan(45)
  })

  it('sends what fell due during a stall in the next turn of the event loop', async () => {
    const turns: number[] = []
    let turn = 0
    let running = true
    const countTurns = async () => {
      for (; running; turn++) await nextTurn()
    }
    const counting = countTurns()
    const send = async (index: number) => {
      turns.push(turn)
      if (index === 20) block(50)
    }
    await runOpenLoop({ ...base, send })
    running = false
    await counting
    // The stalled turn itself may have begun late and sent a few of them.
    expect(new Set(turns.slice(21, 65)).size).toBeLessThanOrEqual(2)
  })

  it('lets the event loop turn between sends', async () => {
    let timersFired = 0
    const timer = setInterval(() => timersFired++, 1)
    await runOpenLoop({ ...base, send: async () => {} })
    clearInterval(timer)
    expect(timersFired).toBeGreaterThan(5)
  })

  it('counts failures by code and keeps them out of the latency', async () => {
    const send = async (index: number) => {
      if (index < 10) throw Object.assign(new Error('full'), { code: 'MILLRACE_QUEUE_FULL' })
      if (index < 15) throw new TypeError('wrong')
    }
    const { completed, failed, latencyUs, achievedPerS } = await runOpenLoop({ ...base, send })
    expect(failed).toEqual({ MILLRACE_QUEUE_FULL: 10, TypeError: 5 })
    expect(completed).toBe(85)
    expect(latencyUs.totalCount).toBe(85)
    expect(achievedPerS).toBeLessThanOrEqual(850)
  })

  it('counts a send that throws as a failure', async () => {
    const send = (): Promise<unknown> => {
      throw new RangeError('no')
    }
    expect((await runOpenLoop({ ...base, send })).failed).toEqual({ RangeError: 100 })
  })

  it('gives up on requests that never settle', async () => {
    const send = (index: number) => (index < 3 ? new Promise(() => {}) : Promise.resolve())
    const report = await runOpenLoop({ ...base, send, drainTimeoutMs: 20 })
    expect(report).toMatchObject({ completed: 97, failed: { UNSETTLED: 3 } })
  })

  it('ends at once when nothing arrives', async () => {
    const report = await runOpenLoop({
      ...base,
      ratePerS: 1e-6,
      arrivals: 'poisson',
      send: async () => {},
    })
    expect(report).toMatchObject({ sent: 0, completed: 0, achievedPerS: 0 })
  })

  it('reports progress', async () => {
    const seen: number[] = []
    await runOpenLoop({
      ...base,
      durationMs: 700,
      ratePerS: 100,
      send: async () => {},
      onProgress: ({ sent, planned }) => seen.push(sent / planned),
    })
    expect(seen.length).toBeGreaterThan(0)
    expect(seen[0]).toBeGreaterThan(0)
  })
})

describe('a closed loop', () => {
  it('keeps the requests asked for in flight, and sends as many as asked for', async () => {
    let outstanding = 0
    let mostOutstanding = 0
    const indexes: number[] = []
    const send = async (index: number) => {
      indexes.push(index)
      mostOutstanding = Math.max(mostOutstanding, ++outstanding)
      await nextTurn()
      outstanding--
    }
    const report = await closedLoop({ inFlight: 4, requests: 41, send })
    expect(mostOutstanding).toBe(4)
    expect(indexes).toEqual(Array.from({ length: 41 }, (_, index) => index))
    expect(report.completed).toBe(41)
    expect((report.throughputPerS * report.durationMs) / 1000).toBeCloseTo(41)
  })

  it('ends after its duration even when no send lets the event loop turn', async () => {
    const report = await closedLoop({ inFlight: 2, durationMs: 30, send: async () => {} })
    expect(report.durationMs).toBeGreaterThanOrEqual(30)
    expect(report.completed).toBeGreaterThan(0)
  })

  it('goes on after failures and counts them by code', async () => {
    const send = async (index: number) => {
      if (index % 2 === 1) throw Object.assign(new Error('late'), { code: 'LATE' })
    }
    const report = await closedLoop({ inFlight: 3, requests: 10, send })
    expect(report).toMatchObject({ completed: 5, failed: { LATE: 5 } })
  })

  it.each([0, -1, 1.5, Number.NaN])('refuses to keep %d in flight', async (inFlight) => {
    const loop = closedLoop({ inFlight, requests: 1, send: async () => {} })
    await expect(loop).rejects.toThrow(RangeError)
  })
})

describe('event-loop delay', () => {
  it.each([
    { way: 'watched', start: watchEventLoopDelay },
    { way: 'probed', start: probeEventLoopDelay },
  ])('has the length of a stall as its maximum when $way', async ({ start }) => {
    const watch = start()
    await sleep(20)
    block(50)
    const { p50Ms, p99Ms, maxMs } = await watch.stop()
    expect(maxMs).toBeGreaterThan(45)
    expect(p50Ms).toBeLessThanOrEqual(p99Ms)
    expect(p99Ms).toBeLessThanOrEqual(maxMs)
  })
})

function block(durationMs: number): void {
  const endMs = performance.now() + durationMs
  while (performance.now() < endMs);
}

function gapsOf(times: Float64Array): number[] {
  return [...times.subarray(1)].map((time, index) => time - times[index]!)
}

function momentsOf(values: number[]): { mean: number; variance: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
  return { mean, variance }
}
