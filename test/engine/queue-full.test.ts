import { describe, expect, it } from 'vitest'
import { Engine } from '../../src/index.ts'
import { gather, oneByOne, slow, slowly } from './pipelines.ts'
import { rejectionOf } from './rejection.ts'

describe('a full pipeline', () => {
  it('refuses at once what is beyond maxPendingRows, counting rows', async () => {
    await using engine = await Engine.start(slow, { configuration: oneByOne, maxPendingRows: 4 })
    const pair = { iterations: BigInt64Array.of(20_000n, 20_000n) }
    const accepted = [engine.infer(pair), engine.infer(slowly(1))]
    const error = await rejectionOf(engine.infer(pair))
    expect(error).toMatchObject({ code: 'MILLRACE_QUEUE_FULL', status: 503 })
    expect(error.message).toContain('the 4 rows it admits (maxPendingRows)')
    accepted.push(engine.infer(slowly(1)))
    expect(engine.stats()).toMatchObject({ pendingRequests: 3, pendingRows: 4 })
    await Promise.all(accepted)
    expect(engine.stats()).toMatchObject({
      pendingRows: 0,
      requests: { completed: 3, queueFull: 1 },
    })
  })

  it('takes the next request as soon as one is answered', async () => {
    await using engine = await Engine.start(gather, { maxPendingRows: 1 })
    for (let round = 0; round < 200; round++) {
      const { square } = await engine.infer({ index: BigInt64Array.of(4n) })
      expect(square.data[0]).toBe(16)
    }
    expect(engine.stats().requests.queueFull).toBe(0)
  })

  it('refuses a request without end: more rows than it ever admits', async () => {
    await using engine = await Engine.start(gather, { maxPendingRows: 2 })
    const error = await rejectionOf(engine.infer({ index: new BigInt64Array(3) }))
    expect(error).toMatchObject({ code: 'MILLRACE_INVALID_INPUT', status: 400 })
    expect(error.message).toContain('3 rows, more than the 2')
  })

  it('keeps a place taken by a cancelled request until the replicas let go of it', async () => {
    await using engine = await Engine.start(slow, { configuration: oneByOne, maxPendingRows: 2 })
    const controller = new AbortController()
    const running = engine.infer(slowly(20))
    const cancelled = engine.infer(slowly(20), { signal: controller.signal })
    controller.abort()
    await rejectionOf(cancelled)
    expect((await rejectionOf(engine.infer(slowly(1)))).code).toBe('MILLRACE_QUEUE_FULL')
    await running
    while (engine.stats().pendingRows > 0) await new Promise(setImmediate)
    await engine.infer(slowly(1))
  })
})
