// Kernels: their references are seen like those of models, their fallbacks have the types that are declared.
import { cuda } from '../../../src/pipeline/cuda.ts'
import { definePipeline } from '../../../src/pipeline/define-pipeline.ts'
import type { InputsOf, StagesOf } from '../../../src/pipeline/pipeline.ts'

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false

const source = '__global__ void twice(const float* x, float* y, unsigned rows) {}'
const inputs = { x: { from: 'request.x', type: 'float32', dims: [4] } } as const
const outputs = { y: { type: 'float32', dims: [4] } } as const

const doubling = definePipeline({
  stages: {
    once: cuda(source, {
      kernel: 'twice',
      inputs,
      outputs,
      grid: 2,
      block: [8, 8, 1],
      fallback: ({ x }) => ({ y: x.data.map((one) => 2 * one) }),
    }),
    twice: cuda(source, { kernel: 'twice', inputs: { x: 'once.y' }, outputs, isolate: false }),
  },
  outputs: { y: 'twice.y' },
})

const takesX: Same<keyof InputsOf<typeof doubling>, 'x'> = true
const hasBoth: Same<StagesOf<typeof doubling>, 'once' | 'twice'> = true

export { hasBoth, takesX }

definePipeline({
  stages: {
    once: cuda(source, { kernel: 'twice', inputs, outputs }),
    // @ts-expect-error: no stage `onec`
    twice: cuda(source, { kernel: 'twice', inputs: { x: 'onec.y' }, outputs }),
  },
  outputs: { y: 'twice.y' },
})

// @ts-expect-error: which kernel?
cuda(source, { inputs, outputs })

// @ts-expect-error: a kernel makes no items
cuda(source, { kernel: 'twice', inputs, outputs, fanOut: true })

// @ts-expect-error: two of three
cuda(source, { kernel: 'twice', inputs, outputs, block: [8, 8] })

cuda(source, {
  kernel: 'twice',
  inputs,
  outputs,
  // @ts-expect-error: another output
  fallback: ({ x }) => ({ z: x.data }),
})
