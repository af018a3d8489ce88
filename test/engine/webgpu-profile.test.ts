// What a profile of tiers that are missing is. Profiles of a real second device take minutes: test/stress.
import { describe, expect, it } from 'vitest'
import { definePipeline, onnx, Profiler } from '../../src/index.ts'
import { digitsModel } from './pipelines.ts'
import { rejectionOf } from './rejection.ts'
import { brief, image, pipeline, samples } from './webgpu-digits.ts'

describe('a profile of a provider that is missing', () => {
  it('is none: nothing is measured in its place', async () => {
    process.env['MILLRACE_CUDA_DRIVER'] = '/nowhere/libcuda.so.1'
    const either = definePipeline({
      stages: { fast: onnx(digitsModel('fast'), { ...image, providers: ['cuda', 'cpu'] }) },
      outputs: { label: 'fast.label' },
    })
    const running = new Profiler(either, { samples, tiers: ['cuda'], maxBatch: 2, ...brief }).run()
    expect((await rejectionOf(running)).code).toBe('MILLRACE_DEVICE_UNAVAILABLE')
  })

  it('is refused where no tier is of a provider that the stage lists', () => {
    expect(() => new Profiler(pipeline, { samples, tiers: ['webgpu'] })).toThrow(
      'tiers: expected a tier of one of the providers of stage "fast" (cpu), got webgpu; add one',
    )
  })
})
