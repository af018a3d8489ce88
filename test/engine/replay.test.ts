import { setTimeout } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Engine, replay } from '../../src/index.ts'
import {
  cascade,
  endless,
  fastAlone,
  gather,
  imagesOf,
  oneByOne,
  readDigits,
  slow,
  slowly,
} from './pipelines.ts'
import { rejectionOf } from './rejection.ts'

const digits = readDigits()
  .slice(0, 20)
  .map((digit) => imagesOf([digit]))
const every = (gapMs: number, count: number) => {
  return Float64Array.from({ length: count }, (_, index) => index * gapMs)
}

describe('a replay', () => {
  it('answers every request of the trace once, and reports them by its own count', async () => {
    await using engine = await Engine.start(cascade)
    const arrivalsMs = every(2, 100)
    const report = await replay(engine, { arrivalsMs, requests: digits, latencyMs: 5_000 })
    expect(report).toMatchObject({ requests: 100, completed: 100, failed: {}, attainment: 1 })
    expect(report.latenciesMs).toHaveLength(100)
    expect(report.p50Ms).toBeLessThanOrEqual(report.p99Ms)
    expect(report.maxMs).toBe(Math.max(...report.latenciesMs))
    expect(report.durationMs).toBeGreaterThanOrEqual(198)
    expect(report.stages['fast']).toMatchObject({ visits: 100 })
    // The warm-up shows in the core's own figures and nowhere else.
    expect(report.coreMs.count).toBe(300)
  })

  it('counts latency from when a request was meant to be sent', async () => {
    await using engine = await Engine.start(fastAlone)
    const replaying = replay(engine, {
      arrivalsMs: every(4, 50),
      requests: digits,
      warmUpRequests: 0,
    })
    // However long its thread takes to start.
    while (engine.stats().requests.completed === 0) await setTimeout(1)
    const stalledUntilMs = performance.now() + 400
    while (performance.now() < stalledUntilMs);
    const { latenciesMs, sentLate } = await replaying
    expect(latenciesMs[25]).toBeGreaterThan(200)
    expect(sentLate).toBeGreaterThan(20)
  })

  it('sends on time whether or not earlier requests were answered', async () => {
    await using engine = await Engine.start(slow, { configuration: oneByOne })
    const requests = [slowly(20)]
    const { latenciesMs } = await replay(engine, {
      arrivalsMs: every(0, 5),
      requests,
      warmUpRequests: 0,
    })
    expect([...latenciesMs]).toEqual([...latenciesMs].sort((a, b) => a - b))
    expect(latenciesMs[4]).toBeGreaterThan(2 * (latenciesMs[0] as number))
  })

  it('counts failures by code, and takes none of them for an answer', async () => {
    await using engine = await Engine.start(gather)
    const requests = [{ index: BigInt64Array.of(3n) }, { index: BigInt64Array.of(99n) }]
    const report = await replay(engine, { arrivalsMs: every(1, 10), requests, latencyMs: 5_000 })
    expect(report).toMatchObject({
      completed: 5,
      failed: { MILLRACE_STAGE_FAILED: 5 },
      attainment: 0.5,
    })
    expect(report.latenciesMs[1]).toBeNaN()
  })

  it('gives each request its deadline from when it was meant to be sent', async () => {
    await using engine = await Engine.start(slow, { configuration: oneByOne, overload: 'queue' })
    const options = { requests: [slowly(30)], warmUpRequests: 0, deadlineMs: 5 }
    const { failed } = await replay(engine, { arrivalsMs: every(0, 4), ...options })
    expect(failed).toEqual({ MILLRACE_DEADLINE_EXCEEDED: 4 })
  })

  it('gives up on answers that do not come', async () => {
    const engine = await Engine.start(slow, { configuration: oneByOne })
    const options = { requests: [endless], warmUpRequests: 0, drainTimeoutMs: 20 }
    const { failed, p99Ms } = await replay(engine, { arrivalsMs: every(0, 2), ...options })
    expect(failed).toEqual({ UNSETTLED: 2 })
    expect(p99Ms).toBeNaN()
    await engine.close({ timeoutMs: 0 })
  })

  it('ends when it is aborted, before, during the warm-up and after', async () => {
    await using engine = await Engine.start(fastAlone)
    const arrivalsMs = every(1000, 100)
    const before = replay(engine, { arrivalsMs, requests: digits, signal: AbortSignal.abort() })
    expect(await rejectionOf(before)).toMatchObject({ code: 'MILLRACE_CANCELLED' })
    for (const warmUpRequests of [1e6, 0]) {
      const signal = AbortSignal.timeout(20)
      const during = replay(engine, { arrivalsMs, requests: digits, warmUpRequests, signal })
      expect(await rejectionOf(during)).toMatchObject({ code: 'MILLRACE_CANCELLED' })
    }
  })

  it('shows how far it is, and says when all is settled', async () => {
    await using engine = await Engine.start(fastAlone)
    const seen: unknown[] = []
    const onProgress = (progress: unknown) => seen.push(progress)
    await replay(engine, { arrivalsMs: every(1, 5), requests: digits, onProgress })
    expect(seen.at(-1)).toEqual({ sent: 5, settled: 5, requests: 5 })
  })

  it('refuses requests that do not fit before it sends any', async () => {
    await using engine = await Engine.start(fastAlone)
    const requests = [{ image: new Float32Array(3) }]
    const unfit = replay(engine, { arrivalsMs: every(1, 5), requests })
    expect(await rejectionOf(unfit)).toMatchObject({ code: 'MILLRACE_INVALID_INPUT' })
  })

  it.each([
    ['no requests', { requests: [] }],
    ['no arrivals', { arrivalsMs: [] }],
    ['arrivals out of order', { arrivalsMs: [2, 1] }],
    ['an arrival before the start', { arrivalsMs: [-1] }],
    ['an arrival that is no number', { arrivalsMs: [Number.NaN] }],
    ['a latency of 0', { latencyMs: 0 }],
    ['half a warm-up request', { warmUpRequests: 0.5 }],
    ['an option that is unknown', { speed: 2 }],
  ])('refuses %s', async (_what, change) => {
    await using engine = await Engine.start(fastAlone)
    const refused = replay(engine, { arrivalsMs: [0], requests: digits, ...change })
    expect(await rejectionOf(refused)).toMatchObject({ code: 'MILLRACE_INVALID_OPTION' })
  })
})
