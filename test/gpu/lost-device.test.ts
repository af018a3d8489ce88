// A kernel that writes where it must not: its device is lost to this process, which nothing else uses.
import { expect, it } from 'vitest'
import { cuda, definePipeline, Engine } from '../../dist/index.js'

const wild = `__global__ void wild(const float* x, float* y, unsigned rows) {
  if (x[0] < 0) *(volatile float*)8 = 1;
  y[blockIdx.x] = x[blockIdx.x];
}`

it('fails the request that lost the device, and goes on with the fallback', async () => {
  const pipeline = definePipeline({
    stages: {
      copy: cuda(wild, {
        kernel: 'wild',
        inputs: { x: { from: 'request.x', type: 'float32', dims: [1] } },
        outputs: { y: { type: 'float32', dims: [1] } },
        block: 1,
        fallback: ({ x }) => ({ y: Float32Array.from(x.data, (value) => Number(value) + 100) }),
      }),
    },
    outputs: { y: 'copy.y' },
  })
  const engine = await Engine.start(pipeline)
  expect((await engine.infer({ x: Float32Array.of(7) })).y.data[0]).toBe(7)
  await expect(engine.infer({ x: Float32Array.of(-1) })).rejects.toMatchObject({
    code: 'MILLRACE_STAGE_FAILED',
    message: expect.stringMatching(/CUDA device 0 is lost .* what comes next runs on the fallback/),
  })
  expect((await engine.infer({ x: Float32Array.of(7) })).y.data[0]).toBe(107)
  expect(engine.stats().stages.copy.fallback).toContain('CUDA device 0 is lost')
  await engine.close()
})
