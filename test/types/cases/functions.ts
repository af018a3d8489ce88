// Functions: their references are seen like those of models, their tensors have the types that are declared.
import { definePipeline } from '../../../src/pipeline/define-pipeline.ts'
import { inline } from '../../../src/pipeline/inline.ts'
import { js } from '../../../src/pipeline/js.ts'
import { onnx } from '../../../src/pipeline/onnx.ts'
import type { InputsOf, StagesOf } from '../../../src/pipeline/pipeline.ts'
import type { StageFunction } from '../../../src/pipeline/stage-function.ts'
import type { Tensor } from '../../../src/pipeline/tensor.ts'

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false

const module = new URL('file:///segment.js')
const crops = { type: 'float32', dims: [-1, 1, 8, 8] } as const
const text = { type: 'string', dims: [] } as const

const pages = definePipeline({
  stages: {
    segment: js(module, {
      export: 'segment',
      inputs: { page: { from: 'request.page', type: 'uint8', dims: [-1] } },
      outputs: { crops },
      fanOut: true,
      data: { threshold: 128 },
    }),
    fast: onnx('fast.onnx', {
      inputs: { image: 'segment.crops' },
      pad: { image: 0 },
      cache: { maxBytes: 1e6 },
    }),
    accurate: onnx('accurate.onnx', {
      inputs: { image: 'segment.crops' },
      when: { output: 'fast.confidence', test: (value: number) => value < 0.8 },
    }),
    join: inline(
      async ({ labels, page }, { rows, signal, deadlineMs }) => {
        const exact: Same<typeof page, Tensor<'uint8'>> = true
        const any: Same<typeof labels, Tensor> = true
        const bytes: Uint8Array = page.data
        if (signal.aborted || deadlineMs < 1) throw new Error(`${exact} ${any} ${bytes}`)
        return { text: Array.from({ length: rows }, String) }
      },
      {
        inputs: {
          labels: ['accurate.label', 'fast.label'],
          page: { from: 'request.page', type: 'uint8', dims: [-1] },
        },
        outputs: { text },
        gather: 'segment',
        concurrency: 2,
      },
    ),
  },
  outputs: { text: 'join.text', labels: ['accurate.label', 'fast.label'] },
})

const inputs: Same<keyof InputsOf<typeof pages>, 'page'> = true
const stages: Same<StagesOf<typeof pages>, 'segment' | 'fast' | 'accurate' | 'join'> = true

// A function may know more about a tensor than the stage declares.
inline(({ ids }: { ids: Tensor<'int64'> }) => ({ text: `${ids.data.length}` }), {
  inputs: { ids: 'tokenize.ids' },
  outputs: { text },
})

// The exports of a module.
export const segment: StageFunction<{ page: Tensor<'uint8'> }, 'crops'> = ({ page }) => {
  return { crops: new Float32Array(page.data.length) }
}
export const whatever: StageFunction = async (given) => ({ y: given['x']?.data ?? 0 })

definePipeline({
  stages: {
    // @ts-expect-error: no stage `reqest`, in js()
    segment: js(module, { inputs: { page: 'reqest.page' }, outputs: { crops } }),
  },
  outputs: { crops: 'segment.crops' },
})

definePipeline({
  stages: {
    // @ts-expect-error: no stage `reqest`, beside type and shape
    segment: js(module, {
      inputs: { page: { from: ['reqest.page'], type: 'uint8', dims: [] } },
      outputs: { crops },
    }),
  },
  outputs: { crops: 'segment.crops' },
})

definePipeline({
  stages: {
    // @ts-expect-error: feeds itself, in inline()
    loop: inline(() => ({ text: '' }), { inputs: { x: 'loop.text' }, outputs: { text } }),
  },
  outputs: { text: 'loop.text' },
})

definePipeline({
  stages: {
    segment: js(module, { inputs: { page: 'request.page' }, outputs: { crops }, fanOut: true }),
    // @ts-expect-error: no stage `segmnt` to gather
    join: js(module, { inputs: { x: 'segment.crops' }, outputs: { text }, gather: 'segmnt' }),
  },
  outputs: { text: 'join.text' },
})

definePipeline({
  stages: {
    fast: js(module, { inputs: { page: 'request.page' }, outputs: { text } }),
    // @ts-expect-error: no stage `fsat` to ask
    slow: js(module, {
      inputs: { page: 'request.page' },
      outputs: { text },
      when: { output: 'fsat.text', test: () => true },
    }),
  },
  outputs: { text: ['slow.text', 'fast.text'] },
})

js(module, {
  inputs: { page: 'request.page' },
  // @ts-expect-error: no such element type
  outputs: { crops: { type: 'float8', dims: [] } },
})

// @ts-expect-error: an output is missing
inline(() => ({}), { inputs: { page: 'request.page' }, outputs: { text } })

// @ts-expect-error: an output of another kind
inline(() => ({ text: new Date() }), { inputs: { page: 'request.page' }, outputs: { text } })

inline(
  // @ts-expect-error: no such input
  ({ pgae }) => ({ text: `${pgae}` }),
  { inputs: { page: 'request.page' }, outputs: { text } },
)

js(module, {
  inputs: { page: 'request.page' },
  outputs: { text },
  // @ts-expect-error: a test decides at once
  when: { output: 'fast.text', test: async () => true },
})
