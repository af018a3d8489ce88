// The names that a pipeline carries: what a request must hold, what it results in, and the stages.
import { Tensor as OrtTensor } from 'onnxruntime-common'
import { definePipeline } from '../../../src/pipeline/define-pipeline.ts'
import { onnx } from '../../../src/pipeline/onnx.ts'
import type { InputsOf, OutputsOf, Pipeline, StagesOf } from '../../../src/pipeline/pipeline.ts'
import type { Tensor, TensorLike } from '../../../src/pipeline/tensor.ts'

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false
declare function infer<P extends Pipeline>(pipeline: P, inputs: InputsOf<P>): Promise<OutputsOf<P>>

const digits = definePipeline({
  stages: {
    fast: onnx('fast.onnx', { inputs: { image: 'request.image' } }),
    accurate: onnx('accurate.onnx', {
      inputs: { image: ['request.sharp', 'fast.image'] },
      when: { output: 'fast.confidence', below: 0.8 },
    }),
  },
  outputs: { label: ['accurate.label', 'fast.label'], scores: 'fast.scores' },
})

const named: Pipeline<'image' | 'sharp', 'label' | 'scores', 'fast' | 'accurate'> = digits
const exact: Same<typeof digits, typeof named> = true
const stages: Same<StagesOf<typeof digits>, 'fast' | 'accurate'> = true
const inputs: Same<keyof InputsOf<typeof digits>, 'image' | 'sharp'> = true
const outputs: Same<keyof OutputsOf<typeof digits>, 'label' | 'scores'> = true

// Any pipeline will do where its names do not matter.
const whichever: Pipeline = digits

const image = { type: 'float32', dims: [1, 4], data: new Float32Array(4) } as const
const sharp = new OrtTensor('float32', new Float32Array(4), [1, 4])

const result = await infer(digits, { image, sharp })
const label: Tensor = result.label
const dims: readonly number[] = result.scores.dims

// Bare elements will do where the shape is known, and so do strings.
await infer(digits, { image: new Float32Array(4), sharp: ['a', 'b'] })

// @ts-expect-error: `sharp` is missing
await infer(digits, { image })

// @ts-expect-error: misspelt input
await infer(digits, { imgae: image, sharp })

// @ts-expect-error: one too many
await infer(digits, { image, sharp, other: image })

// @ts-expect-error: misspelt output
result.lable

// @ts-expect-error: not a tensor
await infer(digits, { image: 7, sharp })

// @ts-expect-error: no such element type
const wrongType: TensorLike = { type: 'float8', dims: [1], data: new Float32Array(1) }

// @ts-expect-error: plain numbers have no element type
const plain: TensorLike = { type: 'float32', dims: [1], data: [1] }

// @ts-expect-error: no such stage
const stage: StagesOf<typeof digits> = 'slow'

// @ts-expect-error: a pipeline cannot be changed
digits.name = 'other'

// @ts-expect-error: nor its stages
digits.stages.fast = digits.stages.accurate

// Tensors of onnxruntime-common, whatever is known of them.
const typed: TensorLike = new OrtTensor('int64', [1n], [1])
const strings: TensorLike = new OrtTensor('string', ['a'], [1])
declare const untyped: OrtTensor
const untypedToo: TensorLike = untyped

const float: Tensor<'float32'> = { type: 'float32', dims: [1], data: new Float32Array(1) }
const floats: Float32Array = float.data
// @ts-expect-error: int64 elements are bigints in a BigInt64Array
const long: Tensor<'int64'> = { type: 'int64', dims: [1], data: new Int32Array(1) }

// Generated pipelines have names that nobody knows before they run.
const generated = definePipeline({
  stages: Object.fromEntries([['a', onnx('m.onnx', { inputs: { x: 'request.x' as string } })]]),
  outputs: { y: 'a.y' },
})
await infer(generated, { whatever: image })
