import { describe, expect, it } from 'vitest'
import { Engine, MillraceError } from '../../src/index.ts'
import { gather, oneByOne, slow, slowly } from './pipelines.ts'
import { rejectionOf } from './rejection.ts'

const configuration = oneByOne
/** Some milliseconds of work for each row, and what is learnt of it. */
const work = slowly(20)

async function learnt(engine: Engine<typeof slow>): Promise<number> {
  for (let run = 0; run < 3; run++) await engine.infer(work)
  return engine.stats().stages.slow.serviceMs.p50
}

describe('an overloaded engine', () => {
  it('refuses at once what would wait too long, and says when to come again', async () => {
    await using engine = await Engine.start(slow, { configuration })
    const serviceMs = await learnt(engine)
    const accepted = Array.from({ length: 20 }, () => engine.infer(work))
    const error = await rejectionOf(engine.infer(work, { deadlineMs: 5 * serviceMs }))
    expect(error).toMatchObject({ code: 'MILLRACE_QUEUE_FULL', status: 503 })
    expect(error.message).toMatch(
      /would wait about [\d.]+ ms and take [\d.]+ ms more, but its deadline leaves [\d.]+ ms; retry after \d+ ms/,
    )
    expect(error.retryAfterMs).toSatisfy(Number.isInteger)
    expect(error.retryAfterMs).toBeGreaterThan(5 * serviceMs)
    expect(engine.stats().requests).toMatchObject({ shed: 1, queueFull: 0, deadlineExceeded: 0 })
    await Promise.all(accepted)
  })

  it('answers a client that came again when it was told to', async () => {
    await using engine = await Engine.start(slow, { configuration })
    const serviceMs = await learnt(engine)
    const accepted = Array.from({ length: 10 }, () => engine.infer(work))
    const options = { deadlineMs: 6 * serviceMs }
    const { retryAfterMs } = await rejectionOf(engine.infer(work, options))
    await new Promise((resolve) => setTimeout(resolve, retryAfterMs))
    // What a busy machine makes slower was not known when it was told.
    await Promise.all(accepted.slice(0, 8))
    await engine.infer(work, { deadlineMs: 20 * serviceMs })
    await Promise.all(accepted)
  })

  it('refuses a deadline nearer than the work takes, and promises nothing of a retry', async () => {
    await using engine = await Engine.start(slow, { configuration })
    const serviceMs = await learnt(engine)
    const error = await rejectionOf(engine.infer(work, { deadlineMs: serviceMs / 10 }))
    expect(error).toMatchObject({ code: 'MILLRACE_DEADLINE_EXCEEDED', retryAfterMs: undefined })
    expect(error.message).toContain('even where nothing else waits')
    expect(engine.stats().requests.shed).toBe(1)
  })

  it('never refuses a request without a deadline while there is room', async () => {
    await using engine = await Engine.start(slow, { configuration })
    await learnt(engine)
    await Promise.all(Array.from({ length: 30 }, () => engine.infer(slowly(1))))
    expect(engine.stats().requests).toMatchObject({ shed: 0, queueFull: 0, completed: 33 })
  })

  it('answers what it admits in time, and settles all the rest', async () => {
    await using engine = await Engine.start(slow, { configuration })
    const deadlineMs = 5 * (await learnt(engine))
    const outcomes = Array.from({ length: 200 }, async () => {
      const startMs = performance.now()
      try {
        await engine.infer(work, { deadlineMs })
        return performance.now() - startMs
      } catch (error) {
        return (error as MillraceError).code
      }
    })
    const settled = await Promise.all(outcomes)
    const answeredMs = settled.filter((outcome) => typeof outcome === 'number')
    expect(answeredMs.length).toBeGreaterThan(0)
    expect(Math.max(...answeredMs)).toBeLessThan(deadlineMs + deliveryMs)
    const { requests } = engine.stats()
    expect(requests.shed).toBeGreaterThan(150)
    expect(requests.shed + requests.deadlineExceeded + requests.completed).toBe(203)
  })
})

/** How late an answer may be seen on a machine that runs other tests. */
const deliveryMs = 50

describe("overload: 'queue'", () => {
  it('refuses for lack of room only', async () => {
    await using engine = await Engine.start(slow, { configuration, overload: 'queue' })
    const serviceMs = await learnt(engine)
    const accepted = Array.from({ length: 20 }, () => engine.infer(work))
    const error = await rejectionOf(engine.infer(work, { deadlineMs: 2 * serviceMs }))
    expect(error.code).toBe('MILLRACE_DEADLINE_EXCEEDED')
    expect(engine.stats().requests).toMatchObject({ shed: 0, deadlineExceeded: 1 })
    await Promise.all(accepted)
  })

  it('tells when a full pipeline will have room', async () => {
    await using engine = await Engine.start(slow, {
      configuration,
      overload: 'queue',
      maxPendingRows: 4,
    })
    const unknown = Array.from({ length: 4 }, () => engine.infer(work))
    expect(await rejectionOf(engine.infer(work))).toMatchObject({ retryAfterMs: undefined })
    await Promise.all(unknown)
    await learnt(engine)
    while (engine.stats().pendingRows > 0) await new Promise(setImmediate)
    const accepted = Array.from({ length: 4 }, () => engine.infer(work))
    const error = await rejectionOf(engine.infer(work))
    expect(error.code).toBe('MILLRACE_QUEUE_FULL')
    expect(error.retryAfterMs).toBeGreaterThanOrEqual(1)
    expect(error.message).toContain(`retry after ${error.retryAfterMs} ms`)
    await Promise.all(accepted)
  })
})

describe('the option overload', () => {
  it.each([null, true, 'shedd', 'QUEUE'])(
    'is refused where it is not known: %j',
    async (overload) => {
      const error = await rejectionOf(Engine.start(gather, { overload: overload as never }))
      expect(MillraceError.is(error)).toBe(true)
      expect(error.code).toBe('MILLRACE_INVALID_OPTION')
      expect(error.message).toContain('overload: expected one of "shed", "queue"')
    },
  )
})
