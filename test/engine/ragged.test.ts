import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { definePipeline, Engine, onnx } from '../../src/index.ts'
import { modelFile } from './pipelines.ts'

const sequences = definePipeline({
  stages: {
    encode: onnx(modelFile('dynamic-sequence'), {
      inputs: { tokens: 'request.tokens' },
      pad: { tokens: 0 },
    }),
  },
  outputs: { doubled: 'encode.doubled', total: 'encode.total' },
})

function tokens(length: number, rows = 1) {
  const data = Float32Array.from({ length: rows * length }, (_, index) => (index % 17) + length)
  return { tokens: { type: 'float32', dims: [rows, length], data } } as const
}

describe('rows of different lengths', () => {
  let engine: Engine<typeof sequences>

  beforeAll(async () => {
    // The model is so fast that without a delay every row would be a batch.
    const encode = { replicas: 1, maxBatch: 8, maxDelayMs: 20 }
    engine = await Engine.start(sequences, { configuration: { encode } })
  })
  afterAll(() => engine.close())

  it('share batches and come back with their own size and values', async () => {
    const lengths = Array.from({ length: 200 }, (_, index) => 8 + ((index * 37) % 121))
    const results = await Promise.all(lengths.map((length) => engine.infer(tokens(length))))
    for (const [index, length] of lengths.entries()) {
      const given = tokens(length).tokens.data
      const result = results[index]
      expect(result?.doubled.dims).toEqual([1, length])
      expect(result?.doubled.data).toEqual(given.map((value) => value * 2))
      const total = given.reduce((sum, value) => sum + value, 0)
      expect(result?.total.data[0]).toBeCloseTo(total, 2)
    }
    const { encode } = engine.stats().stages
    expect(encode.batches).toBeLessThan(lengths.length)
    expect(encode.lanes).toBeGreaterThan(2)
    expect(encode.paddingElements).toBeGreaterThan(0)
    expect(encode.paddingElements / encode.paddedElements).toBeLessThan(0.25)
  })

  it('of one request, more than a batch holds, come back whole', async () => {
    const [shorter, many] = await Promise.all([
      engine.infer(tokens(13)),
      engine.infer(tokens(15, 21)),
    ])
    expect(shorter.doubled.dims).toEqual([1, 13])
    expect(many.doubled.dims).toEqual([21, 15])
    expect(many.doubled.data).toEqual(tokens(15, 21).tokens.data.map((value) => value * 2))
  })

  it('may be empty', async () => {
    const [empty, full] = await Promise.all([engine.infer(tokens(0)), engine.infer(tokens(5))])
    expect(empty.doubled.dims).toEqual([1, 0])
    expect(empty.total.data).toEqual(Float32Array.of(0))
    expect(full.doubled.dims).toEqual([1, 5])
  })
})
