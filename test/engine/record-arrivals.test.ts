import { describe, expect, it } from 'vitest'
import { nowMs } from '../../src/clock.ts'
import { Engine } from '../../src/index.ts'
import { Trace } from '../../src/workload/trace.ts'
import { gather } from './pipelines.ts'
import { rejectionOf } from './rejection.ts'

const request = { index: BigInt64Array.of(3n) }

describe('recording the arrivals of an engine', () => {
  it('gives the times of all requests that were offered, as a trace takes them', async () => {
    await using engine = await Engine.start(gather)
    await engine.infer(request)
    const beforeMs = nowMs()
    const recording = engine.recordArrivals()
    await engine.infer(request)
    await engine.inferMany([request, { index: BigInt64Array.of(1n, 2n, 3n) }])
    const { arrivalsMs, durationMs, truncated } = recording.stop()
    await engine.infer(request)
    expect(truncated).toBe(false)
    expect(arrivalsMs).toHaveLength(3)
    expect(arrivalsMs).toEqual(Float64Array.from(arrivalsMs).sort())
    expect(arrivalsMs[0]).toBeGreaterThanOrEqual(0)
    expect(durationMs).toBeGreaterThanOrEqual(arrivalsMs[2] ?? Number.NaN)
    expect(durationMs).toBeLessThanOrEqual(nowMs() - beforeMs)
    expect(new Trace({ arrivalsMs }).arrivalsMs).toEqual(arrivalsMs)
  })

  it('counts requests that are refused for lack of room or time, and none that are wrong', async () => {
    await using engine = await Engine.start(gather, {
      maxPendingRows: 1,
      configuration: { gather: { replicas: 0 } },
    })
    const recording = engine.recordArrivals()
    const waiting = engine.infer(request)
    expect((await rejectionOf(engine.infer(request))).code).toBe('MILLRACE_QUEUE_FULL')
    const late = engine.infer(request, { deadlineMs: 0 })
    expect((await rejectionOf(late)).code).toBe('MILLRACE_DEADLINE_EXCEEDED')
    await rejectionOf(engine.infer({ index: 'three' } as never))
    await rejectionOf(engine.infer(request, { deadlineMs: Number.NaN }))
    await rejectionOf(engine.infer(request, { signal: AbortSignal.abort() }))
    expect(recording.stop().arrivalsMs).toHaveLength(3)
    await engine.scale('gather', 1)
    await waiting
  })

  it('keeps no more than it may, and says so', async () => {
    await using engine = await Engine.start(gather)
    const recording = engine.recordArrivals({ maxArrivals: 2 })
    await engine.inferMany([request, request, request])
    expect(recording.stop()).toMatchObject({ arrivalsMs: { length: 2 }, truncated: true })
  })

  it('ends with the engine, whose last arrivals it still gives', async () => {
    const engine = await Engine.start(gather)
    const recording = engine.recordArrivals()
    await engine.infer(request)
    await engine.close()
    await rejectionOf(engine.infer(request))
    expect(recording.stop().arrivalsMs).toHaveLength(1)
    expect(() => engine.recordArrivals()).toThrow(
      expect.objectContaining({ code: 'MILLRACE_CLOSED' }),
    )
  })
})
