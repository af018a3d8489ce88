// Pipelines of one function, which the tests of functions serve.
import { definePipeline, type FunctionContext, inline, js, type Tensor } from '../../src/index.ts'

export const functionsModule = new URL('fixtures/functions-worker.js', import.meta.url)

/** One number a row. */
export const x = { from: 'request.x', type: 'float32', dims: [] } as const
const y = { type: 'float32', dims: [] } as const

interface JsTestOptions {
  readonly batched?: boolean
  readonly isolate?: boolean
  readonly timeoutMs?: number
  readonly data?: unknown
}

/** y of x, from a function of the fixtures. */
export function jsOf(name: string, options: JsTestOptions = {}) {
  return definePipeline({
    stages: {
      work: js(functionsModule, { export: name, inputs: { x }, outputs: { y }, ...options }),
    },
    outputs: { y: 'work.y' },
  })
}

type NumberFunction = (
  inputs: { readonly x: Tensor<'float32'> },
  context: FunctionContext,
) => { y: Float32Array | number } | Promise<{ y: Float32Array | number }>

interface InlineTestOptions {
  readonly batched?: boolean
  readonly isolate?: boolean
  readonly timeoutMs?: number
  readonly concurrency?: number
}

/** y of x, from a function of the test. */
export function inlineOf(run: NumberFunction, options: InlineTestOptions = {}) {
  return definePipeline({
    stages: { work: inline(run, { inputs: { x }, outputs: { y }, ...options }) },
    outputs: { y: 'work.y' },
  })
}

/** A request of one row for each number. */
export function numbers(...values: number[]) {
  return { x: { type: 'float32', dims: [values.length], data: Float32Array.from(values) } } as const
}
