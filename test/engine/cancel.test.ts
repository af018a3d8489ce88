import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { Engine } from '../../src/index.ts'
import { endless, gather, oneByOne, slow, slowly } from './pipelines.ts'
import { rejectionOf } from './rejection.ts'

const index = BigInt64Array.of(3n)

describe('a request with a signal', () => {
  it('that is aborted already is refused, with the reason as its cause', async () => {
    await using engine = await Engine.start(gather)
    const reason = new Error('changed my mind')
    const error = await rejectionOf(engine.infer({ index }, { signal: AbortSignal.abort(reason) }))
    expect(error).toMatchObject({ code: 'MILLRACE_CANCELLED', status: 499 })
    expect(error.cause).toBe(reason)
    expect(engine.stats().stages.gather.batches).toBe(0)
  })

  it('rejects as soon as it is aborted, while it waits and while it runs', async () => {
    const engine = await Engine.start(slow, { configuration: oneByOne })
    const [running, waiting] = [new AbortController(), new AbortController()]
    const first = rejectionOf(engine.infer(endless, { signal: running.signal }))
    const second = rejectionOf(engine.infer(endless, { signal: waiting.signal }))
    waiting.abort('no longer needed')
    expect(await second).toMatchObject({ code: 'MILLRACE_CANCELLED', cause: 'no longer needed' })
    running.abort()
    expect(await first).toMatchObject({ code: 'MILLRACE_CANCELLED', cause: { name: 'AbortError' } })
    expect(engine.stats()).toMatchObject({ pendingRequests: 0, requests: { cancelled: 2 } })
    await engine.close()
  })

  it('has its run ended where nobody else waits for it, and the replica goes on', async () => {
    await using engine = await Engine.start(slow, { configuration: oneByOne })
    const controller = new AbortController()
    const { signal } = controller
    const open = [{ signal }, { deadlineMs: 50 }].map(async (options) => {
      const error = await rejectionOf(engine.infer(endless, options))
      return error.code
    })
    setTimeout(() => controller.abort(), 20)
    expect(await Promise.all(open)).toEqual(['MILLRACE_CANCELLED', 'MILLRACE_DEADLINE_EXCEEDED'])
    expect(Number((await engine.infer(slowly(1))).sum.data[0])).toBe(2000)
    const { interruptedBatches, failedRows, skippedRows } = engine.stats().stages.slow
    expect(interruptedBatches).toBeGreaterThanOrEqual(1)
    expect({ failedRows, skippedRows }).toEqual({ failedRows: 0, skippedRows: 2 })
  })

  it('is never run once it is cancelled, and leaves no row behind', async () => {
    await using engine = await Engine.start(slow, { configuration: oneByOne })
    const busy = engine.infer(slowly(30))
    const controller = new AbortController()
    const requests = Array.from({ length: 50 }, () =>
      rejectionOf(engine.infer(slowly(1000), { signal: controller.signal })),
    )
    controller.abort()
    await Promise.all([busy, ...requests])
    await engine.infer(slowly(1))
    expect(engine.stats()).toMatchObject({
      pendingRows: 0,
      requests: { cancelled: 50, completed: 2 },
      stages: { slow: { rows: 2, skippedRows: 50 } },
    })
  })

  it('is not bothered by an abort after it was answered', async () => {
    await using engine = await Engine.start(gather)
    const controller = new AbortController()
    const { square } = await engine.infer({ index }, { signal: controller.signal })
    controller.abort()
    expect(square.data[0]).toBe(9)
    expect((await engine.infer({ index })).square.data[0]).toBe(9)
    expect(engine.stats().requests).toMatchObject({ completed: 2, cancelled: 0 })
  })

  it('settles once when it is aborted just as it is answered', async () => {
    await using engine = await Engine.start(gather)
    let settled = 0
    for (let round = 0; round < 300; round++) {
      const controller = new AbortController()
      const request = engine.infer({ index }, { signal: controller.signal })
      const abort = () => controller.abort()
      if (round % 3 === 0) setImmediate(abort)
      else if (round % 3 === 1) setTimeout(abort, 0)
      else queueMicrotask(abort)
      const outcome = await request.then(
        ({ square }) => square.data[0],
        (error: { code: string }) => error.code,
      )
      expect([9, 'MILLRACE_CANCELLED']).toContain(outcome)
      settled++
    }
    const { completed, cancelled } = engine.stats().requests
    expect(completed + cancelled).toBe(settled)
    expect(engine.stats()).toMatchObject({ pendingRequests: 0 })
  })

  it('leaves no listener behind, however it ends', async () => {
    const engine = await Engine.start(slow, { configuration: oneByOne, maxPendingRows: 3 })
    const controller = new AbortController()
    const { signal } = controller
    await engine.infer(slowly(1), { signal })
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
    const open = [
      engine.infer(endless, { signal, deadlineMs: 20 }),
      engine.infer(endless, { signal }),
      engine.infer(slowly(1), { signal }),
      engine.infer(slowly(1), { signal }),
    ].map(rejectionOf)
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    expect((await open[3])?.code).toBe('MILLRACE_QUEUE_FULL')
    expect((await open[0])?.code).toBe('MILLRACE_DEADLINE_EXCEEDED')
    expect(getEventListeners(signal, 'abort')).toHaveLength(1)
    await engine.close({ timeoutMs: 0 })
    expect((await open[1])?.code).toBe('MILLRACE_CLOSED')
    expect((await open[2])?.code).toBe('MILLRACE_CLOSED')
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
  })

  it('may share it with a thousand others without a warning', async () => {
    await using engine = await Engine.start(gather)
    const warnings: Error[] = []
    const note = (warning: Error) => warnings.push(warning)
    process.on('warning', note)
    const { signal } = new AbortController()
    await engine.inferMany(
      Array.from({ length: 1000 }, () => ({ index })),
      { signal },
    )
    await new Promise(setImmediate)
    process.off('warning', note)
    expect(warnings).toEqual([])
  })
})

describe('a request whose signal is made when it is needed', () => {
  it('asks for it once it has waited for a while, and once only', async () => {
    await using engine = await Engine.start(gather)
    let asked = 0
    const controller = new AbortController()
    const signal = () => {
      asked++
      return controller.signal
    }
    await engine.scale('gather', 0)
    const waiting = engine.infer({ index }, { signal })
    await expect.poll(() => asked).toBe(1)
    await engine.scale('gather', 1)
    await waiting
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
    expect(asked).toBe(1)
  })

  it('is cancelled by it, also where it was aborted before it was asked for', async () => {
    await using engine = await Engine.start(gather)
    await engine.scale('gather', 0)
    const controller = new AbortController()
    const requests = [controller.signal, AbortSignal.abort('gone')].map(async (signal) => {
      return rejectionOf(engine.infer({ index }, { signal: () => signal }))
    })
    expect(await requests[1]).toMatchObject({ code: 'MILLRACE_CANCELLED', cause: 'gone' })
    controller.abort('later')
    expect(await requests[0]).toMatchObject({ code: 'MILLRACE_CANCELLED', cause: 'later' })
    expect(engine.stats().pendingRequests).toBe(0)
  })

  it('is cancelled where the function throws or gives no signal', async () => {
    await using engine = await Engine.start(gather)
    await engine.scale('gather', 0)
    const thrown = new Error('no signal')
    const signals = [
      () => {
        throw thrown
      },
      () => 3 as never,
    ]
    const errors = await Promise.all(
      signals.map((signal) => rejectionOf(engine.infer({ index }, { signal }))),
    )
    expect(errors[0]?.cause).toBe(thrown)
    expect(errors[1]?.cause).toBeInstanceOf(TypeError)
  })
})
