import { describe, expect, it } from 'vitest'
import { Engine } from '../../src/index.ts'
import { endless, gather, oneByOne, slow, slowly } from './pipelines.ts'
import { rejectionOf } from './rejection.ts'

// How late a machine may be that runs other tests beside this one.
const latenessMs = 60

describe('a deadline', () => {
  it.each([0, -1, -1e12, 1e-9])('that has passed is refused at once: %d ms', async (deadlineMs) => {
    await using engine = await Engine.start(gather)
    const error = await rejectionOf(engine.infer({ index: BigInt64Array.of(1n) }, { deadlineMs }))
    expect(error).toMatchObject({ code: 'MILLRACE_DEADLINE_EXCEEDED', status: 504 })
    expect(error.message).toContain('had passed when the request was made')
    expect(engine.stats()).toMatchObject({
      pendingRequests: 0,
      requests: { deadlineExceeded: 1 },
      stages: { gather: { batches: 0 } },
    })
  })

  it('ends a request that waits when it passes, not when the replica is free', async () => {
    const engine = await Engine.start(slow, { configuration: oneByOne })
    const busy = rejectionOf(engine.infer(endless))
    const startMs = performance.now()
    const late = [30, 10, 20, 60, 45].map(async (deadlineMs) => {
      const error = await rejectionOf(engine.infer(slowly(1), { deadlineMs }))
      expect(error.code).toBe('MILLRACE_DEADLINE_EXCEEDED')
      const tookMs = performance.now() - startMs
      expect(tookMs).toBeGreaterThanOrEqual(deadlineMs)
      expect(tookMs).toBeLessThan(deadlineMs + latenessMs)
    })
    await Promise.all(late)
    expect(engine.stats()).toMatchObject({ pendingRequests: 1, requests: { deadlineExceeded: 5 } })
    await engine.close({ timeoutMs: 0 })
    expect(await busy).toMatchObject({ code: 'MILLRACE_CLOSED' })
  })

  it('ends a request that runs when it passes', async () => {
    const engine = await Engine.start(slow)
    const startMs = performance.now()
    const error = await rejectionOf(engine.infer(endless, { deadlineMs: 20 }))
    expect(error.code).toBe('MILLRACE_DEADLINE_EXCEEDED')
    expect(performance.now() - startMs).toBeLessThan(20 + latenessMs)
    await engine.close()
  })

  it('that passed while the request waited is never run', async () => {
    await using engine = await Engine.start(slow, { configuration: oneByOne })
    const busy = engine.infer(slowly(60))
    const late = Array.from({ length: 20 }, () =>
      rejectionOf(engine.infer(slowly(1000), { deadlineMs: 5 })),
    )
    await Promise.all(late)
    await busy
    const startMs = performance.now()
    await engine.infer(slowly(1))
    expect(performance.now() - startMs).toBeLessThan(1000)
    expect(engine.stats()).toMatchObject({
      pendingRequests: 0,
      pendingRows: 0,
      stages: { slow: { rows: 2 } },
    })
  })

  it('that is met changes nothing', async () => {
    await using engine = await Engine.start(gather)
    const requests = Array.from({ length: 200 }, (_, at) =>
      engine.infer({ index: BigInt64Array.of(BigInt(at % 10)) }, { deadlineMs: 10_000 }),
    )
    const squares = (await Promise.all(requests)).map(({ square }) => square.data[0])
    expect(squares).toEqual(Array.from({ length: 200 }, (_, at) => (at % 10) ** 2))
    expect(engine.stats().requests.deadlineExceeded).toBe(0)
  })
})
