// The digits with one model on the CPU and one on a second device, as they are profiled.
import { definePipeline, onnx } from '../../src/index.ts'
import { digitsModel, imagesOf, readDigits } from './pipelines.ts'

export const samples = readDigits()
  .slice(0, 2)
  .map((digit) => imagesOf([digit]))
/** Nothing here is about how long anything takes. */
export const brief = { minRuns: 1, maxPointMs: 1 } as const
export const image = { inputs: { image: 'request.image' } } as const
export const pipeline = definePipeline({
  name: 'digits',
  stages: {
    fast: onnx(digitsModel('fast'), { ...image, providers: ['cpu'] }),
    accurate: onnx(digitsModel('accurate'), { ...image, providers: ['webgpu', 'cpu'] }),
  },
  outputs: { fast: 'fast.label', accurate: 'accurate.label' },
})
