import { describe, expect, it } from 'vitest'
import { dataTypes, encodeModel } from '../../bench/models/onnx-schema.ts'
import { definePipeline, Engine, onnx } from '../../src/index.ts'

const width = 768
const weightMb = (width * width * 4) / 2 ** 20

/** y = x * `factor`, by way of a large matrix. */
function scaling(factor: number): Uint8Array {
  const weights = new Float32Array(width * width)
  for (let at = 0; at < width; at++) weights[at * (width + 1)] = factor
  const value = (name: string) => {
    const dim = [{ dimParam: 'batch' }, { dimValue: width }]
    return { name, type: { tensorType: { elemType: dataTypes.float32, shape: { dim } } } }
  }
  return encodeModel({
    irVersion: 8,
    opsetImport: [{ domain: '', version: 17 }],
    graph: {
      name: 'scaling',
      node: [{ opType: 'MatMul', input: ['x', 'w'], output: ['y'] }],
      initializer: [
        {
          name: 'w',
          dims: [width, width],
          dataType: dataTypes.float32,
          rawData: new Uint8Array(weights.buffer),
        },
      ],
      input: [value('x')],
      output: [value('y')],
    },
  })
}

describe('fifty swaps', () => {
  it('keep one model in memory', async () => {
    const sources = [scaling(2), scaling(3)] as const
    const pipeline = definePipeline({
      stages: { scale: onnx(sources[0], { inputs: { x: 'request.x' } }) },
      outputs: { y: 'scale.y' },
    })
    await using engine = await Engine.start(pipeline)
    const x = new Float32Array(width).fill(1)
    const swap = async (at: number) => {
      await engine.swap('scale', sources[at % 2 === 0 ? 1 : 0])
      expect((await engine.infer({ x })).y.data[5]).toBe(at % 2 === 0 ? 3 : 2)
    }
    for (let at = 0; at < 10; at++) await swap(at)
    const beforeMb = process.memoryUsage.rss() / 2 ** 20
    for (let at = 0; at < 50; at++) await swap(at)
    const grownMb = process.memoryUsage.rss() / 2 ** 20 - beforeMb
    // The old ones would take 50 times their weights.
    expect(grownMb).toBeLessThan(20 * weightMb)
  })
})
