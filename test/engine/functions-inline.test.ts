import { describe, expect, it } from 'vitest'
import { definePipeline, Engine, type FunctionContext, inline, onnx } from '../../src/index.ts'
import { inlineOf, numbers } from './functions.ts'
import { modelFile } from './pipelines.ts'
import { rejectionOf } from './rejection.ts'

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))

describe('an inline() stage', () => {
  it('runs a function of this thread on whole batches', async () => {
    const sizes: number[] = []
    const pipeline = inlineOf(({ x }, { rows }) => {
      sizes.push(rows)
      return { y: x.data.map((value) => 2 * value) }
    })
    await using engine = await Engine.start(pipeline)
    expect((await engine.infer(numbers(1, 2, 3))).y.data).toEqual(Float32Array.of(2, 4, 6))
    expect(sizes.reduce((sum, rows) => sum + rows)).toBe(3)
  })

  it('awaits promises, row by row where it is not batched', async () => {
    const pipeline = inlineOf(
      async ({ x }) => {
        await pause(1)
        return { y: (x.data[0] ?? 0) + 1 }
      },
      { batched: false },
    )
    await using engine = await Engine.start(pipeline)
    expect((await engine.infer(numbers(1, 2))).y.data).toEqual(Float32Array.of(2, 3))
  })

  it.each([
    ['one after the other in a batch', { maxBatch: 8, replicas: 1 }, 1],
    ['as many at once as there are replicas, without batches', { replicas: 3 }, 3],
  ])('runs rows that are given one by one %s', async (_, work, atOnce) => {
    let running = 0
    let most = 0
    const pipeline = inlineOf(
      async ({ x }) => {
        most = Math.max(most, ++running)
        await pause(5)
        running--
        return { y: x.data[0] as number }
      },
      { batched: false },
    )
    await using engine = await Engine.start(pipeline, { configuration: { work } })
    const { y } = await engine.infer(numbers(1, 2, 3, 4, 5, 6))
    expect(y.data).toEqual(Float32Array.of(1, 2, 3, 4, 5, 6))
    expect(most).toBe(atOnce)
  })

  it('tells the deadline that is left, and Infinity where there is none', async () => {
    const left: number[] = []
    const pipeline = inlineOf(({ x }, { deadlineMs }) => {
      left.push(deadlineMs)
      return { y: x.data }
    })
    await using engine = await Engine.start(pipeline)
    await engine.infer(numbers(1))
    await engine.infer(numbers(1), { deadlineMs: 60_000 })
    expect(left[0]).toBe(Number.POSITIVE_INFINITY)
    expect(left[1]).toBeGreaterThan(0)
    expect(left[1]).toBeLessThanOrEqual(60_000)
  })

  it('runs as many calls at once as it has replicas, and no more', async () => {
    let running = 0
    let most = 0
    const pipeline = inlineOf(
      async ({ x }) => {
        most = Math.max(most, ++running)
        await pause(5)
        running--
        return { y: x.data }
      },
      { concurrency: 3 },
    )
    const configuration = { work: { maxBatch: 1 } }
    await using engine = await Engine.start(pipeline, { configuration })
    await Promise.all(Array.from({ length: 12 }, (_, at) => engine.infer(numbers(at))))
    expect(most).toBe(3)
  })

  it('fails a batch whose promise never settles, aborts its signal, and goes on', async () => {
    const signals: AbortSignal[] = []
    const pipeline = inlineOf(
      ({ x }, context: FunctionContext) => {
        if (x.data[0] !== 666) return { y: x.data }
        signals.push(context.signal)
        return new Promise<never>(() => {})
      },
      { timeoutMs: 100, concurrency: 1 },
    )
    await using engine = await Engine.start(pipeline)
    const error = await rejectionOf(engine.infer(numbers(666)))
    expect(error.message).toContain('did not answer within 100 ms (timeoutMs)')
    expect((await engine.infer(numbers(1))).y.data[0]).toBe(1)
    expect(signals.map(({ aborted }) => aborted)).toEqual([true])
  })

  it('drops an answer that comes after the limit', async () => {
    let answerLate = () => {}
    const pipeline = inlineOf(
      ({ x }) => {
        if (x.data[0] !== 666) return { y: x.data }
        return new Promise((resolve) => {
          answerLate = () => resolve({ y: x.data })
        })
      },
      { timeoutMs: 50, concurrency: 1 },
    )
    await using engine = await Engine.start(pipeline)
    await rejectionOf(engine.infer(numbers(666)))
    answerLate()
    expect((await engine.infer(numbers(7))).y.data[0]).toBe(7)
  })

  it('may keep what it was given', async () => {
    const kept: Float32Array[] = []
    const pipeline = inlineOf(({ x }) => {
      kept.push(x.data)
      return { y: x.data }
    })
    await using engine = await Engine.start(pipeline)
    for (let value = 0; value < 20; value++) await engine.infer(numbers(value))
    expect(kept.map((data) => data[0])).toEqual(kept.map((_, at) => at))
  })

  it('stands between models', async () => {
    const pipeline = definePipeline({
      stages: {
        before: onnx(modelFile('identity-float32'), { inputs: { x: 'request.x' } }),
        middle: inline(({ x }) => ({ sum: (x.data as Float32Array).map((value) => value + 1) }), {
          inputs: { x: 'before.y' },
          outputs: { sum: { type: 'float32', dims: [4] } },
        }),
        after: onnx(modelFile('identity-float32'), { inputs: { x: 'middle.sum' } }),
      },
      outputs: { y: 'after.y' },
    })
    await using engine = await Engine.start(pipeline)
    const { y } = await engine.infer({ x: Float32Array.of(1, 2, 3, 4) })
    expect(y.data).toEqual(Float32Array.of(2, 3, 4, 5))
  })

  it('takes tensors of megabytes', async () => {
    const pipeline = definePipeline({
      stages: {
        work: inline(({ x, z }) => ({ y: x.data as Float32Array, last: z.data.at(-1) as number }), {
          inputs: {
            x: { from: 'request.x', type: 'float32', dims: [1 << 18] },
            z: { from: 'request.z', type: 'uint8', dims: [100_000] },
          },
          outputs: {
            y: { type: 'float32', dims: [1 << 18] },
            last: { type: 'uint8', dims: [] },
          },
          batched: false,
        }),
      },
      outputs: { y: 'work.y', last: 'work.last' },
    })
    await using engine = await Engine.start(pipeline)
    const x = Float32Array.from({ length: 1 << 18 }, (_, at) => at)
    const result = await engine.infer({ x, z: new Uint8Array(100_000).fill(7) })
    expect(result.y.data).toEqual(x)
    expect(result.last.data[0]).toBe(7)
  })

  it('is closed while a call is running', async () => {
    const pipeline = inlineOf(() => new Promise<never>(() => {}), {
      timeoutMs: Number.POSITIVE_INFINITY,
    })
    const engine = await Engine.start(pipeline)
    const pending = rejectionOf(engine.infer(numbers(1)))
    await pause(20)
    await engine.close({ timeoutMs: 10 })
    expect((await pending).code).toBe('MILLRACE_CLOSED')
  })
})
