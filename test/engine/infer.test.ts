import { Tensor } from 'onnxruntime-common'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { definePipeline, Engine, onnx, type TensorLike } from '../../src/index.ts'
import {
  accurateAlone,
  cascade,
  fastAlone,
  identityOf,
  imagesOf,
  modelFile,
  readDigits,
} from './pipelines.ts'

const digits = readDigits()

describe('the digits cascade', () => {
  let engine: Engine<typeof cascade>
  beforeAll(async () => {
    engine = await Engine.start(cascade)
  })
  afterAll(() => engine.close())

  it('is as accurate as published, near the accurate model alone', async () => {
    expect(await accuracyOf(fastAlone)).toBeCloseTo(0.896, 3)
    expect(await accuracyOf(accurateAlone)).toBeCloseTo(0.979, 3)
    expect(await accuracyOf(cascade)).toBeCloseTo(0.967, 2)
  })

  it('decides for each row by itself, in one request of all rows as in one request a row', async () => {
    const together = await engine.infer(imagesOf(digits))
    const alone = await engine.inferMany(digits.map((digit) => imagesOf([digit])))
    expect(together.label.dims[0]).toBe(digits.length)
    expect([...together.label.data]).toEqual(alone.map(({ label }) => label.data[0]))
    const confidences = alone.map(({ confidence }) => confidence.data[0] as number)
    for (const [row, confidence] of confidences.entries()) {
      expect(together.confidence.data[row]).toBeCloseTo(confidence, 4)
    }
  })

  it('runs the accurate model for some of the rows only', async () => {
    const before = engine.stats().stages
    await engine.infer(imagesOf(digits))
    const { fast, accurate } = engine.stats().stages
    expect(fast.rows - before.fast.rows).toBe(digits.length)
    const escalated = accurate.rows - before.accurate.rows
    expect(escalated).toBeGreaterThan(0)
    expect(escalated).toBeLessThan(digits.length / 2)
  })

  async function accuracyOf(pipeline: typeof cascade | typeof fastAlone | typeof accurateAlone) {
    await using one = await Engine.start(pipeline)
    const results = await one.inferMany(digits.map((digit) => imagesOf([digit])))
    const right = results.filter(({ label }, at) => Number(label.data[0]) === digits[at]?.label)
    return right.length / digits.length
  }
})

describe('an element type', () => {
  const rows = {
    float32: Float32Array.of(1.5, Number.NaN, -0, Number.NEGATIVE_INFINITY),
    float64: Float64Array.of(Math.PI, Number.NaN, 5e-324, Number.MAX_VALUE),
    float16: Uint16Array.of(0x3c00, 0x7e01, 0x8000, 0x0001),
    int8: Int8Array.of(-128, -1, 0, 127),
    uint8: Uint8Array.of(0, 1, 128, 255),
    int16: Int16Array.of(-32768, -1, 0, 32767),
    uint16: Uint16Array.of(0, 1, 32768, 65535),
    int32: Int32Array.of(-(2 ** 31), -1, 0, 2 ** 31 - 1),
    uint32: Uint32Array.of(0, 1, 2 ** 31, 2 ** 32 - 1),
    int64: BigInt64Array.of(-(2n ** 63n), -1n, 2n ** 53n + 1n, 2n ** 63n - 1n),
    uint64: BigUint64Array.of(0n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n),
    bool: Uint8Array.of(0, 1, 1, 0),
    string: ['', 'a\0b', 'Zürich 🚀', 'x'.repeat(70_000)],
  } satisfies Record<string, TensorLike>

  it.each(Object.keys(rows) as (keyof typeof rows)[])('comes back as it went: %s', async (type) => {
    await using engine = await Engine.start(identityOf(type))
    const data = rows[type]
    const { y } = await engine.infer({ x: { type, dims: [1, 4], data } })
    expect(y).toEqual({ type, dims: [1, 4], data })
    const bare = await engine.infer({ x: data })
    expect(bare.y).toEqual(y)
  })

  it('that no pipeline carries is refused by name: bfloat16', async () => {
    await expect(Engine.start(identityOf('bfloat16'))).rejects.toMatchObject({
      code: 'MILLRACE_MODEL_LOAD',
      message: expect.stringContaining('bfloat16'),
    })
  })
})

describe('a request', () => {
  it('may have two inputs and two outputs', async () => {
    const pipeline = definePipeline({
      stages: {
        both: onnx(modelFile('two-inputs'), { inputs: { a: 'request.left', b: 'request.right' } }),
      },
      outputs: { sum: 'both.sum', difference: 'both.difference' },
    })
    await using engine = await Engine.start(pipeline)
    const left = Float32Array.of(1, 2, 3, 4)
    const right = Float32Array.of(10, 20, 30, 40)
    expect(await engine.infer({ left, right })).toEqual({
      sum: { type: 'float32', dims: [2, 2], data: Float32Array.of(11, 22, 33, 44) },
      difference: { type: 'float32', dims: [2, 2], data: Float32Array.of(-9, -18, -27, -36) },
    })
  })

  it('may have 80 inputs', async () => {
    const names = Array.from({ length: 40 }, (_, at) => `n${at}`)
    const pipeline = definePipeline({
      stages: Object.fromEntries(
        names.map((name) => {
          const inputs = { a: `request.${name}-a`, b: `request.${name}-b` }
          return [name, onnx(modelFile('two-inputs'), { inputs })]
        }),
      ),
      outputs: Object.fromEntries(names.map((name) => [name, `${name}.sum`])),
    })
    await using engine = await Engine.start(pipeline)
    const inputs = pipeline.requestInputs.map((name, at) => [name, Float32Array.of(at, 1)])
    const result = await engine.infer(Object.fromEntries(inputs))
    expect(result['n39']?.data).toEqual(Float32Array.of(78 + 79, 2))
  })

  it('may have rows of any length where the model leaves it open', async () => {
    await using engine = await Engine.start(sequencePipeline())
    const lengths = [1, 2, 3, 5, 8, 2, 1]
    const requests = lengths.map((length) => {
      const data = Float32Array.from({ length: 2 * length }, (_, at) => at)
      return { tokens: { type: 'float32' as const, dims: [2, length], data } }
    })
    const results = await engine.inferMany(requests)
    for (const [at, { doubled, total }] of results.entries()) {
      const { dims, data } = requests[at]!.tokens
      expect(doubled).toEqual({ type: 'float32', dims, data: data.map((value) => value * 2) })
      expect(total.dims).toEqual([2])
      expect(total.data[0]).toBe(data.subarray(0, dims[1]).reduce((sum, value) => sum + value, 0))
    }
  })

  it('may have rows without elements', async () => {
    await using engine = await Engine.start(sequencePipeline())
    const tokens = { type: 'float32', dims: [2, 0], data: new Float32Array() } as const
    const { doubled, total } = await engine.infer({ tokens })
    expect(doubled).toEqual(tokens)
    expect(total.data).toEqual(Float32Array.of(0, 0))
  })

  it('may be a whole tensor for a model without a batch dimension', async () => {
    const pipeline = definePipeline({
      stages: { double: onnx(modelFile('no-batch'), { inputs: { x: 'request.x' } }) },
      outputs: { y: 'double.y' },
    })
    await using engine = await Engine.start(pipeline)
    const results = await engine.inferMany(
      Array.from({ length: 20 }, (_, at) => ({ x: Float32Array.of(at, 1, 2) })),
    )
    for (const [at, { y }] of results.entries()) {
      expect(y).toEqual({ type: 'float32', dims: [3], data: Float32Array.of(2 * at, 2, 4) })
    }
  })

  it('takes a Tensor of onnxruntime-common as it is', async () => {
    await using engine = await Engine.start(identityOf('int64'))
    const x = new Tensor('int64', BigInt64Array.of(1n, 2n, 3n, 4n), [1, 4])
    expect((await engine.infer({ x: x as TensorLike })).y.data).toEqual(x.data)
  })

  it('takes a view of a part of a buffer', async () => {
    await using engine = await Engine.start(identityOf('float32'))
    const x = Float32Array.of(9, 9, 1, 2, 3, 4, 9).subarray(2, 6)
    expect((await engine.infer({ x })).y.data).toEqual(Float32Array.of(1, 2, 3, 4))
  })

  it('may carry results larger than the memory shared with the core', async () => {
    await using engine = await Engine.start(identityOf('float64'), { maxPendingRows: 200_000 })
    const requests = Array.from({ length: 40 }, (_, at) => ({
      x: Float64Array.from({ length: 4 * 4000 }, (__, element) => at + element),
    }))
    const results = await engine.inferMany(requests)
    for (const [at, { y }] of results.entries()) expect(y.data).toEqual(requests[at]?.x)
  })
})

describe('a result', () => {
  it('has memory of its own, whatever its size', async () => {
    await using engine = await Engine.start(identityOf('float32'))
    for (const rows of [1, 2, 2000]) {
      const x = new Float32Array(rows * 4).fill(1)
      const [first, second] = await engine.inferMany([{ x }, { x }])
      const data = first?.y.data as Float32Array
      expect(data.buffer.byteLength).toBe(data.byteLength)
      structuredClone(data, { transfer: [data.buffer as ArrayBuffer] })
      expect(second?.y.data).toEqual(x)
      expect((await engine.infer({ x })).y.data).toEqual(x)
    }
  })

  it('whose rows differ in shape fails alone, and shifts no other result', async () => {
    const tokens = <Name extends string>(name: Name) =>
      ({ inputs: { tokens: `request.${name}` } }) as const
    const pipeline = definePipeline({
      stages: {
        judge: onnx(modelFile('dynamic-sequence'), tokens('judged')),
        short: onnx(modelFile('dynamic-sequence'), {
          ...tokens('short'),
          when: { output: 'judge.total', above: 0 },
        }),
        long: onnx(modelFile('dynamic-sequence'), tokens('long')),
      },
      outputs: { either: ['short.doubled', 'long.doubled'], echo: 'judge.doubled' },
    })
    await using engine = await Engine.start(pipeline)
    const request = (...judged: number[]) => ({
      judged: tensor(judged.length, Float32Array.from(judged)),
      short: tensor(judged.length, new Float32Array(judged.length).fill(1)),
      long: tensor(judged.length, new Float32Array(judged.length * 2).fill(2)),
    })
    const results = await Promise.allSettled(
      [[1], [1, -1], [-1], [5, 6]].map((judged) => engine.infer(request(...judged))),
    )
    expect(results[1]).toMatchObject({ reason: { code: 'MILLRACE_STAGE_FAILED' } })
    expect(results[0]).toMatchObject({
      value: { either: tensor(1, Float32Array.of(2)), echo: tensor(1, Float32Array.of(2)) },
    })
    expect(results[2]).toMatchObject({
      value: { either: tensor(1, Float32Array.of(4, 4)), echo: tensor(1, Float32Array.of(-2)) },
    })
    expect(results[3]).toMatchObject({
      value: { either: tensor(2, Float32Array.of(2, 2)), echo: tensor(2, Float32Array.of(10, 12)) },
    })
  })
})

describe('many requests', () => {
  it('are answered in order', async () => {
    await using engine = await Engine.start(identityOf('int32'))
    function* requests() {
      for (let at = 0; at < 500; at++) yield { x: Int32Array.of(at, at, at, at) }
    }
    const results = await engine.inferMany(requests())
    expect(results.map(({ y }) => y.data[0])).toEqual(Array.from({ length: 500 }, (_, at) => at))
  })

  it('that are none, or no iterable, or whose iterator throws', async () => {
    await using engine = await Engine.start(identityOf('int32'))
    expect(await engine.inferMany([])).toEqual([])
    for (const wrong of [null, 3, { length: 2 }]) {
      await expect(engine.inferMany(wrong as never)).rejects.toMatchObject({
        code: 'MILLRACE_INVALID_INPUT',
      })
    }
    function* broken() {
      yield { x: Int32Array.of(1) }
      throw new Error('the source failed')
    }
    await expect(engine.inferMany(broken())).rejects.toThrow('the source failed')
    expect(engine.stats().requests.completed).toBe(0)
  })
})

function sequencePipeline() {
  return definePipeline({
    stages: {
      twice: onnx(modelFile('dynamic-sequence'), { inputs: { tokens: 'request.tokens' } }),
    },
    outputs: { doubled: 'twice.doubled', total: 'twice.total' },
  })
}

function tensor(rows: number, data: Float32Array) {
  return { type: 'float32' as const, dims: [rows, data.length / rows], data }
}
