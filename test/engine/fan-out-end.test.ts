import { describe, expect, it } from 'vitest'
import { definePipeline, Engine, inline } from '../../src/index.ts'
import { join } from './fixtures/items-worker.js'
import { numbers } from './functions.ts'
import { doubling, expectedOf, itemsPipeline, joining, splitting, works } from './items.ts'
import { rejectionOf } from './rejection.ts'

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
const one = { split: { replicas: 1 }, work: { replicas: 1, maxBatch: 1 } } as const
const late = itemsPipeline('inline row', 'js that is slow')

async function isEmpty(engine: Engine): Promise<void> {
  while (engine.stats().pendingRows > 0) await pause(1)
  const { pendingRequests, stages } = engine.stats()
  expect(pendingRequests).toBe(0)
  for (const { waitingRows } of Object.values(stages)) expect(waitingRows).toBe(0)
}

describe('a request with items under way', () => {
  it('that is aborted runs no more of them, and others go on', async () => {
    await using engine = await Engine.start(late, { configuration: one })
    const controller = new AbortController()
    const aborted = rejectionOf(engine.infer(numbers(50), { signal: controller.signal }))
    const other = engine.infer(numbers(2))
    while (engine.stats().stages.work.rows < 2) await pause(1)
    controller.abort()
    expect((await aborted).code).toBe('MILLRACE_CANCELLED')
    expect(await other).toEqual(expectedOf(2))
    await isEmpty(engine)
    expect(engine.stats().stages.work.rows).toBeLessThan(40)
  })

  it('whose deadline passes is dropped, and others go on', async () => {
    await using engine = await Engine.start(late, { configuration: one, overload: 'queue' })
    const expired = rejectionOf(engine.infer(numbers(50), { deadlineMs: 100 }))
    const other = engine.infer(numbers(2))
    expect((await expired).code).toBe('MILLRACE_DEADLINE_EXCEEDED')
    expect(await other).toEqual(expectedOf(2))
    await isEmpty(engine)
    expect(engine.stats().stages.work.rows).toBeLessThan(40)
  })

  it('rejects when the engine is closed and its time is up', async () => {
    const engine = await Engine.start(late, { configuration: one })
    const closed = rejectionOf(engine.infer(numbers(50, 50)))
    while (engine.stats().stages.work.rows < 1) await pause(1)
    await engine.close({ timeoutMs: 10 })
    expect((await closed).code).toBe('MILLRACE_CLOSED')
  })

  it('is answered when the engine is closed and there is time', async () => {
    const engine = await Engine.start(late, { configuration: one })
    const answered = engine.infer(numbers(3, 0))
    await engine.close()
    expect(await answered).toEqual(expectedOf(3, 0))
  })

  it.each(['split', 'work', 'join'] as const)('waits while %s has no replicas', async (stage) => {
    await using engine = await Engine.start(itemsPipeline('js row', 'js batched'))
    await engine.scale(stage, 0)
    const waiting = engine.inferMany([numbers(3, 1), numbers(0), numbers(5)])
    await pause(20)
    // Without items there is nothing to wait for.
    expect(engine.stats().pendingRequests).toBe(stage === 'work' ? 2 : 3)
    await engine.scale(stage, 2)
    expect(await waiting).toEqual([expectedOf(3, 1), expectedOf(0), expectedOf(5)])
  })

  it('fails where the worker of an item exits, and others go on', async () => {
    const pipeline = itemsPipeline('js batched', 'js that exits')
    await using engine = await Engine.start(pipeline, { configuration: one })
    const error = await rejectionOf(engine.infer(numbers(4)))
    expect(error).toMatchObject({ code: 'MILLRACE_STAGE_FAILED', stage: 'work' })
    expect(error.message).toContain('exited with code 4')
    expect(await engine.infer(numbers(3, 2))).toEqual(expectedOf(3, 2))
    await isEmpty(engine)
  })

  it('fails with all of its batch where failures are not isolated', async () => {
    const pipeline = itemsPipeline('inline batched', 'inline not isolated')
    await using engine = await Engine.start(pipeline)
    const error = await rejectionOf(engine.infer(numbers(9)))
    expect(error.message).toContain('poison 903')
    expect(engine.stats().stages.work.retries).toBe(0)
    expect(await engine.infer(numbers(3))).toEqual(expectedOf(3))
  })

  it.each([
    ['a negative number of them', -1],
    ['a fraction', 1.5],
    ['NaN', Number.NaN],
  ])('fails where a function makes %s', async (_, length) => {
    const odd = { type: 'float32', dims: [length], data: new Float32Array(1) } as const
    const pipeline = definePipeline({
      stages: {
        split: inline(() => ({ value: odd }), { ...splitting, batched: false }),
        work: works['inline batched'],
        join: inline(join, joining),
      },
      outputs: { sum: 'join.sum' },
    })
    await using engine = await Engine.start(pipeline)
    const error = await rejectionOf(engine.infer(numbers(1)))
    expect(error).toMatchObject({ code: 'MILLRACE_STAGE_FAILED', stage: 'split' })
    expect(error.message).toContain('output "value": expected float32[?] as a Float32Array')
  })

  it('fails where outputs differ in how many there are', async () => {
    const pipeline = definePipeline({
      stages: {
        split: inline(() => ({ value: new Float32Array(2), name: ['a', 'b', 'c'] }), {
          ...splitting,
          outputs: { ...splitting.outputs, name: { type: 'string', dims: [-1] } },
          batched: false,
        }),
      },
      outputs: { value: 'split.value', name: 'split.name' },
    })
    await using engine = await Engine.start(pipeline)
    const error = await rejectionOf(engine.infer(numbers(1)))
    expect(error.code).toBe('MILLRACE_STAGE_FAILED')
    expect(error.message).toMatch(/2 .*3/)
  })

  it('is refused more of them than the pipeline holds', async () => {
    const pipeline = itemsPipeline('inline batched', 'inline batched')
    await using engine = await Engine.start(pipeline, { maxPendingRows: 64 })
    const error = await rejectionOf(engine.infer(numbers(5000)))
    expect(error).toMatchObject({ code: 'MILLRACE_QUEUE_FULL', stage: 'work', status: 503 })
    expect(error.message).toMatch(/a fan-out of 5000 items at once; .*maxPendingRows/)
    // Its items keep their places until replicas let go of them.
    await isEmpty(engine)
    expect(await engine.infer(numbers(3))).toEqual(expectedOf(3))
  })
})

describe('a deadline', () => {
  it('is known to every function on the way, with what is left of it', async () => {
    const left: Record<string, number> = {}
    const keep = (name: string, deadlineMs: number) => {
      left[name] = Math.min(left[name] ?? Number.POSITIVE_INFINITY, deadlineMs)
    }
    const pipeline = definePipeline({
      stages: {
        split: inline(
          async ({ n }, { deadlineMs }) => {
            keep('split', deadlineMs)
            await pause(30)
            return { value: new Float32Array(n.data[0] ?? 0) }
          },
          { ...splitting, batched: false },
        ),
        work: inline(async ({ x }, { deadlineMs }) => {
          keep('work', deadlineMs)
          await pause(30)
          return { y: x.data as Float32Array }
        }, doubling),
        join: inline((inputs, { deadlineMs }) => {
          keep('join', deadlineMs)
          return { sum: inputs.values.data.length, count: 0 }
        }, joining),
      },
      outputs: { sum: 'join.sum' },
    })
    await using engine = await Engine.start(pipeline)
    await engine.infer(numbers(2), { deadlineMs: 10_000 })
    const { split = 0, work = 0, join: last = 0 } = left
    expect(split).toBeLessThanOrEqual(10_000)
    expect(work).toBeLessThanOrEqual(split - 29)
    expect(last).toBeLessThanOrEqual(work - 29)
    expect(last).toBeGreaterThan(0)
  })
})
