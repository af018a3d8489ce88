// Small models and pipelines for the tests of binding.
import { bindPipeline } from '../../src/pipeline/bind.ts'
import type { BoundPipeline } from '../../src/pipeline/bound-pipeline.ts'
import { definePipeline } from '../../src/pipeline/define-pipeline.ts'
import { onnx } from '../../src/pipeline/onnx.ts'
import type { TensorType } from '../../src/pipeline/tensor.ts'
import type { ModelSignature, TensorSpec } from '../../src/pipeline/tensor-spec.ts'

// 'image float32 batch,784': named dimensions and ? are open; 'x float32' is a scalar.
function spec(text: string): TensorSpec {
  const [name = '', type, dims = ''] = text.split(' ')
  const axes = dims === '' ? [] : dims.split(',')
  return {
    name,
    type: type as TensorType,
    dims: axes.map((axis) => (/^\d+$/.test(axis) ? Number(axis) : -1)),
    symbols: axes.map((axis) => (/^[\d?]+$/.test(axis) ? '' : axis)),
  }
}

export function model(inputs: readonly string[], outputs: readonly string[]): ModelSignature {
  return { inputs: inputs.map(spec), outputs: outputs.map(spec) }
}

export type Models = Record<string, ModelSignature>
const define = (definition: unknown) => definePipeline(definition as never)
export const bind = (definition: unknown, models: Models): BoundPipeline => {
  return bindPipeline(define(definition), new Map(Object.entries(models)))
}

export const image = { image: 'request.image' } as const
export const digits = model(['image float32 n,784'], ['label int64 n', 'confidence float32 n,1'])

export function cascade(when: object = { below: 0.8 }) {
  return {
    name: 'digits',
    stages: {
      fast: onnx('fast.onnx', { inputs: image }),
      accurate: onnx('accurate.onnx', {
        inputs: image,
        when: { output: 'fast.confidence', ...when },
      }),
    },
    outputs: { label: ['accurate.label', 'fast.label'] },
  }
}
