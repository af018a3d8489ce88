// cuda() stages on a real GPU: `npm run test:gpu`. Compiled by the real compiler, compared with the same in JavaScript.
import { describe, expect, it } from 'vitest'
import { cuda, definePipeline, devices, Engine, onnx } from '../../dist/index.js'
import { preprocess, topK } from '../../examples/08-kernels/fallbacks.js'
import {
  classes,
  deviation,
  from,
  k,
  mean,
  photographs,
  rankings,
  to,
} from '../../examples/08-kernels/pipeline.js'

const twice = `__global__ void twice(const float* x, float* y, unsigned rows) {
  const int at = blockIdx.x * blockDim.x + threadIdx.x;
  y[at] = 2 * x[at];
}`

function doubling(source: string, graphs = false) {
  return definePipeline({
    stages: {
      double: cuda(source, {
        kernel: 'twice',
        graphs,
        inputs: { x: { from: 'request.x', type: 'float32', dims: [64] } },
        outputs: { y: { type: 'float32', dims: [64] } },
        block: 64,
      }),
    },
    outputs: { y: 'double.y' },
  })
}

describe('a kernel on a GPU', () => {
  it.each([false, true])(
    'answers every request right, many at once, graphs: %s',
    async (graphs) => {
      const engine = await Engine.start(doubling(twice, graphs))
      const requests = Array.from({ length: 2000 }, (_, at) => ({
        x: new Float32Array(64).fill(at),
      }))
      const results = await engine.inferMany(requests)
      expect(results.map(({ y }) => y.data[63])).toEqual(requests.map((_, at) => 2 * at))
      expect(engine.stats().stages.double.graphBatches > 0).toBe(graphs)
      await engine.close()
    },
  )

  it('reads what the kernel before it left on the device, many requests at once', async () => {
    const width = 40 // rows of 160 bytes: from the middle of a block they must be copied
    const options = {
      kernel: 'twice',
      outputs: { y: { type: 'float32', dims: [width] } },
      block: width,
    } as const
    const pipeline = definePipeline({
      stages: {
        first: cuda(twice, {
          ...options,
          inputs: { x: { from: 'request.x', type: 'float32', dims: [width] } },
        }),
        second: cuda(twice, { ...options, inputs: { x: 'first.y' } }),
        third: cuda(twice, { ...options, inputs: { x: 'second.y' } }),
      },
      outputs: { y: 'third.y' },
    })
    const engine = await Engine.start(pipeline)
    const requests = Array.from({ length: 2000 }, (_, at) => ({
      x: new Float32Array(width).fill(at),
    }))
    const results = await engine.inferMany(requests)
    expect(results.map(({ y }) => y.data[width - 1])).toEqual(requests.map((_, at) => 8 * at))
    const { first, second, third } = engine.stats().stages
    expect([first, second, third].map((one) => one.handedOnRows)).toEqual([2000, 2000, 0])
    await engine.close()
  })

  it('shares the device with a model of ONNX Runtime: rows go to it and come back there', async (context) => {
    const { cuda: provider } = (await devices()).providers
    if (!provider.usable) context.skip(provider.message)
    const width = 4
    const options = {
      kernel: 'twice',
      outputs: { y: { type: 'float32', dims: [width] } },
      block: width,
    } as const
    const identity = new URL('../models/identity-float32.onnx', import.meta.url)
    const pipeline = definePipeline({
      stages: {
        before: cuda(twice, {
          ...options,
          inputs: { x: { from: 'request.x', type: 'float32', dims: [width] } },
        }),
        model: onnx(identity, { inputs: { x: 'before.y' }, providers: ['cuda'] }),
        after: cuda(twice, { ...options, inputs: { x: 'model.y' } }),
      },
      outputs: { y: 'after.y' },
    })
    const engine = await Engine.start(pipeline)
    const requests = Array.from({ length: 2000 }, (_, at) => ({
      x: new Float32Array(width).fill(at),
    }))
    const results = await engine.inferMany(requests)
    expect(results.map(({ y }) => y.data[width - 1])).toEqual(requests.map((_, at) => 4 * at))
    const { before, model, after } = engine.stats().stages
    expect([before, model, after].map((one) => one.handedOnRows)).toEqual([2000, 2000, 0])
    await engine.close()
  })

  it('that does not compile is an error with the log', async () => {
    await expect(Engine.start(doubling('__global__ void twice( {}'))).rejects.toMatchObject({
      code: 'MILLRACE_MODEL_LOAD',
      message: expect.stringContaining('double.cu(1)'),
    })
  })
})

describe('the shipped kernels on a GPU', () => {
  const rows = 5

  it('prepare photographs as the function does', async () => {
    const image = Uint8Array.from({ length: rows * from.height * from.width * 3 }, (_, at) => {
      return (at * 2654435761) >>> 24
    })
    const engine = await Engine.start(photographs)
    expect(engine.configuration.prepare.tier).toBe('cuda')
    const { planes } = await engine.infer({ image })
    const expected = preprocess({ from, to, mean, deviation })({ image: { data: image } }, { rows })
    expected.planes.forEach((value, at) => {
      expect(Math.abs(value - Number(planes.data[at]))).toBeLessThan(1e-4)
    })
    await engine.close()
  })

  it('rank scores as the function does', async () => {
    const scores = Float32Array.from({ length: rows * classes }, (_, at) => Math.sin(at * 12.9898))
    const engine = await Engine.start(rankings)
    const { values, places } = await engine.infer({ scores })
    const expected = topK({ width: classes, k })({ scores: { data: scores } }, { rows })
    expect(places.data).toEqual(expected.places)
    expect(values.data).toEqual(expected.values)
    await engine.close()
  })
})
