import { describe, expect, it } from 'vitest'
import { definePipeline, Engine, inline, onnx } from '../../src/index.ts'
import { join } from './fixtures/items-worker.js'
import { numbers } from './functions.ts'
import {
  doubling,
  expectedOf,
  itemsPipeline,
  joining,
  type SplitKind,
  splits,
  splitting,
  type WorkKind,
  works,
} from './items.ts'
import { modelFile } from './pipelines.ts'
import { rejectionOf } from './rejection.ts'

const kinds = ['js row', 'js batched', 'inline row', 'inline batched'] as const
const pairs = kinds.flatMap((split) => kinds.map((work): [SplitKind, WorkKind] => [split, work]))
const few = { split: { replicas: 1 }, work: { replicas: 2 } } as const

describe('items', () => {
  it.each(pairs)('made by %s, each run by %s, come together by row', async (split, work) => {
    await using engine = await Engine.start(itemsPipeline(split, work), { configuration: few })
    expect(await engine.infer(numbers(3))).toEqual(expectedOf(3))
    expect(await engine.infer(numbers(0))).toEqual(expectedOf(0))
    expect(await engine.infer(numbers(2, 0, 1, 5, 0))).toEqual(expectedOf(2, 0, 1, 5, 0))
    const requests = Array.from({ length: 60 }, (_, at) => [at % 2, at % 7, at % 3])
    const results = await engine.inferMany(requests.map((rows) => numbers(...rows)))
    expect(results).toEqual(requests.map((rows) => expectedOf(...rows)))
    const { stages, pendingRows } = engine.stats()
    expect(stages.split.rows).toBe(7 + 180)
    expect(stages.work.rows).toBe(3 + 8 + requests.flat().reduce((sum, row) => sum + row))
    expect(pendingRows).toBe(0)
  })

  it('that are equal run once where the stage keeps results', async () => {
    await using engine = await Engine.start(itemsPipeline('inline row', 'inline cached'))
    const requests = Array.from({ length: 30 }, () => numbers(3, 0, 3))
    const results = await engine.inferMany(requests)
    expect(results).toEqual(requests.map(() => expectedOf(3, 0, 3)))
    const { rows, cache } = engine.stats().stages.work
    expect(rows).toBe(3)
    expect(cache).toMatchObject({ missedRows: 3, entries: 3 })
    expect((cache?.hitRows ?? 0) + (cache?.sharedRows ?? 0)).toBe(30 * 6 - 3)
  })

  it.each(['inline cached', 'inline row', 'js batched'] as const)(
    'of which one fails take their request with them and nobody else: %s',
    async (work) => {
      await using engine = await Engine.start(itemsPipeline('js row', work), {
        configuration: few,
      })
      const poisoned = Array.from({ length: 10 }, () => rejectionOf(engine.infer(numbers(9, 1))))
      const others = engine.inferMany(Array.from({ length: 10 }, () => numbers(1, 3)))
      for (const error of await Promise.all(poisoned)) {
        expect(error).toMatchObject({ code: 'MILLRACE_STAGE_FAILED', stage: 'work' })
        expect(error.message).toContain('poison 903')
      }
      for (const result of await others) expect(result).toEqual(expectedOf(1, 3))
      expect(engine.stats().pendingRows).toBe(0)
    },
  )

  it('may be rows of a model that is padded', async () => {
    const lengths = definePipeline({
      stages: {
        split: splits['js batched'],
        ramp: inline(({ x }) => ({ ramp: ramp(x.data[0] as number) }), {
          inputs: { x: 'split.value' },
          outputs: { ramp: { type: 'float32', dims: [-1] } },
          batched: false,
        }),
        work: onnx(modelFile('dynamic-sequence'), {
          inputs: { tokens: 'ramp.ramp' },
          pad: { tokens: 0 },
        }),
        join: inline(join, { ...joining, inputs: { values: 'work.total' } }),
      },
      outputs: { sum: 'join.sum', totals: 'work.total' },
    })
    await using engine = await Engine.start(lengths, { configuration: { work: { replicas: 0 } } })
    const answers = engine.inferMany([numbers(1, 4), numbers(0), numbers(7)])
    // All 12 items first, or a replica may take each alone, and pad nothing.
    await expect.poll(() => engine.stats().stages.work.waitingRows).toBe(12)
    await engine.scale('work', 1)
    const results = await answers
    expect(results.map(({ sum }) => [...(sum.data as Float32Array)])).toEqual([
      [total(1), total(4)],
      [0],
      [total(7)],
    ])
    expect(results[1]?.totals).toEqual(numbers().x)
    expect(engine.stats().stages.work.paddingElements).toBeGreaterThan(0)
  })

  it('of one shape each come back as one tensor, of several rows, for models too', async () => {
    const models = definePipeline({
      stages: {
        split: inline(({ n }) => ({ value: fours(n.data[0] as number) }), {
          ...splitting,
          outputs: { value: { type: 'float32', dims: [-1, 4] } },
          batched: false,
        }),
        work: onnx(modelFile('identity-float32'), { inputs: { x: 'split.value' } }),
      },
      outputs: { items: 'work.y' },
    })
    await using engine = await Engine.start(models)
    const { items } = await engine.infer(numbers(2, 0, 3))
    expect(items).toEqual({
      type: 'float32',
      dims: [5, 4],
      data: Float32Array.from([...fours(2).data, ...fours(3).data]),
    })
    expect((await engine.infer(numbers(0, 0))).items.dims).toEqual([0, 4])
  })

  it('may have items of their own', async () => {
    const nested = definePipeline({
      stages: {
        split: splits['js batched'],
        parts: inline(({ x }) => ({ part: ramp((x.data[0] as number) % 100) }), {
          inputs: { x: 'split.value' },
          outputs: { part: { type: 'float32', dims: [-1] } },
          fanOut: true,
          batched: false,
        }),
        work: inline(({ part, x, n }) => ({ y: both(part.data, x.data, n.data) }), {
          inputs: { part: 'parts.part', x: 'split.value', n: splitting.inputs.n },
          outputs: doubling.outputs,
        }),
        inner: inline(join, { ...joining, gather: 'parts' }),
        join: inline(join, { ...joining, inputs: { values: 'inner.sum' } }),
      },
      outputs: { sum: 'join.sum', count: 'join.count', counts: 'inner.count', parts: 'work.y' },
    })
    await using engine = await Engine.start(nested)
    // Of the item 100 n + i there are i parts: n has 0 + 1 + … + (n - 1) of them.
    const results = await engine.inferMany([numbers(3, 0, 1), numbers(0), numbers(4)])
    expect(results.map(({ counts }) => [...(counts.data as Float32Array)])).toEqual([
      [0, 1, 2, 0],
      [],
      [0, 1, 2, 3],
    ])
    expect(results[0]?.count).toEqual(numbers(3, 0, 1).x)
    expect(results[0]?.parts).toEqual(numbers(305, 306, 306).x)
    expect(results[0]?.sum).toEqual(numbers(917, 0, 0).x)
    expect(results[1]?.parts.dims).toEqual([0])
  })

  it('may be passed over by a condition that is a function', async () => {
    const chosen = definePipeline({
      stages: {
        split: splits['inline batched'],
        first: works['inline batched'],
        work: inline(({ x }) => ({ y: negative(x.data as Float32Array) }), {
          ...doubling,
          when: { output: 'first.y', test: (value: number) => value % 4 === 0 },
        }),
        join: inline(join, { ...joining, inputs: { values: ['work.y', 'first.y'] } }),
      },
      outputs: { sum: 'join.sum', items: ['work.y', 'first.y'] },
    })
    await using engine = await Engine.start(chosen)
    const { items, sum } = await engine.infer(numbers(4, 0, 1))
    expect([...(items.data as Float32Array)]).toEqual([-400, 802, -402, 806, -100])
    expect([...(sum.data as Float32Array)]).toEqual([806, 0, -100])
    expect(engine.stats().stages.work.rows).toBe(3)
  })
})

/** 1, 1, … as many as there are. */
function ramp(length: number) {
  return { type: 'float32', dims: [length], data: new Float32Array(length).fill(1) } as const
}

/** What the ramps of the items of n hold together. */
function total(n: number): number {
  return (expectedOf(n).sum.data[0] as number) / 2
}

function negative(data: Float32Array) {
  return data.map((value) => -value)
}

function fours(n: number) {
  const data = Float32Array.from({ length: 4 * n }, (_, at) => 1000 * n + at)
  return { type: 'float32', dims: [n, 4], data } as const
}

function both(part: ArrayLike<unknown>, x: ArrayLike<unknown>, n: ArrayLike<unknown>) {
  return Float32Array.from(part, (value, at) => Number(value) + Number(x[at]) + Number(n[at]))
}
