import { describe, expect, it } from 'vitest'
import { Engine, type EngineEvents } from '../../src/index.ts'
import { inlineOf, numbers } from './functions.ts'
import { expectedOf, itemsPipeline } from './items.ts'
import { oneByOne, slow, slowly } from './pipelines.ts'
import { rejectionOf } from './rejection.ts'

type Shed = EngineEvents['shed']
const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

describe("the event 'shed'", () => {
  it('is told at most once a second, with all that was refused since', async () => {
    const engine = await Engine.start(slow, { configuration: oneByOne, maxPendingRows: 2 })
    const events: { shed: Shed; atMs: number }[] = []
    engine.on('shed', (shed) => events.push({ shed, atMs: performance.now() }))
    const accepted = [engine.infer(slowly(100)), engine.infer(slowly(100))]
    await Promise.all(Array.from({ length: 5 }, () => rejectionOf(engine.infer(slowly(1)))))
    expect(events).toEqual([]) // not from within infer
    await Promise.all(accepted)
    while (events.length === 0) await pause(1)
    expect(events[0]?.shed).toEqual({ requests: 5, stages: {} })
    let refused = 5
    for (const endMs = performance.now() + 1_500; performance.now() < endMs; await pause(5)) {
      const burst = Array.from({ length: 4 }, () => engine.infer(slowly(1)))
      const settled = await Promise.allSettled(burst)
      refused += settled.filter(({ status }) => status === 'rejected').length
    }
    await engine.close()
    expect(events.length).toBeLessThanOrEqual(4)
    const [first, second] = events
    expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBeGreaterThanOrEqual(999)
    expect(events.reduce((sum, { shed }) => sum + shed.requests, 0)).toBe(refused)
    expect(engine.stats().requests.queueFull).toBe(refused)
  })

  it('names the stages that dropped requests', async () => {
    const pipeline = itemsPipeline('inline batched', 'inline batched')
    await using engine = await Engine.start(pipeline, { maxPendingRows: 64 })
    const told = new Promise<Shed>((resolve) => engine.on('shed', resolve))
    await rejectionOf(engine.infer(numbers(5000)))
    expect(await told).toEqual({ requests: 1, stages: { work: 1 } })
  })

  it('is told of what was too late for its deadline, before it was served', async () => {
    await using engine = await Engine.start(slow, { configuration: oneByOne })
    const told = new Promise<Shed>((resolve) => engine.on('shed', resolve))
    for (let run = 0; run < 3; run++) await engine.infer(slowly(20))
    await rejectionOf(engine.infer(slowly(20), { deadlineMs: 0.1 }))
    expect(await told).toEqual({ requests: 1, stages: {} })
  })

  it('is not told of deadlines that passed, of cancelled requests and of failures', async () => {
    const pipeline = inlineOf(({ x }) => {
      if (x.data[0] === 1) throw new Error('no')
      return new Promise<never>(() => {})
    })
    const engine = await Engine.start(pipeline, { overload: 'queue' })
    const events: Shed[] = []
    engine.on('shed', (shed) => events.push(shed))
    const controller = new AbortController()
    // Alone, or it may wait behind one that never ends.
    await rejectionOf(engine.infer(numbers(1)))
    const ends = [
      rejectionOf(engine.infer(numbers(2), { deadlineMs: 200 })),
      rejectionOf(engine.infer(numbers(2), { deadlineMs: 0 })),
      rejectionOf(engine.infer(numbers(2), { signal: controller.signal })),
    ]
    controller.abort()
    await Promise.all(ends)
    await engine.close({ timeoutMs: 0 })
    await rejectionOf(engine.infer(numbers(2)))
    await pause(5)
    expect(events).toEqual([])
  })
})

describe('a listener that', () => {
  it('sends another request is no trouble, nor one that is taken off', async () => {
    const pipeline = itemsPipeline('inline batched', 'inline batched')
    await using engine = await Engine.start(pipeline, { maxPendingRows: 64 })
    const taken = () => expect.fail('was taken off')
    const answer = new Promise((resolve) => {
      engine.on('shed', taken).on('shed', () => resolve(engine.infer(numbers(2))))
    })
    engine.off('shed', taken)
    await rejectionOf(engine.infer(numbers(5000)))
    expect(await answer).toEqual(expectedOf(2))
  })
})
