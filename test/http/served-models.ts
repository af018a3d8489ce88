// The engines that these tests serve.
import {
  definePipeline,
  Engine,
  inline,
  onnx,
  type Pipeline,
  stagePipeline,
  type TensorType,
} from '../../src/index.ts'
import { cascade, modelFile } from '../engine/pipelines.ts'

export const elementTypes: readonly TensorType[] = [
  'bool',
  'float16',
  'float32',
  'float64',
  'int8',
  'int16',
  'int32',
  'int64',
  'uint8',
  'uint16',
  'uint32',
  'uint64',
  'string',
]

function identity(type: TensorType): Pipeline {
  return definePipeline({
    stages: { same: onnx(modelFile(`identity-${type}`), { inputs: { x: 'request.x' } }) },
    outputs: { y: 'same.y' },
  })
}

/** Rows of any length, given back as they are; a list that begins with -1 is refused. */
export const echo = definePipeline({
  name: 'echo',
  stages: {
    echo: inline(({ x }) => ({ y: checked(x) }), {
      inputs: { x: { from: 'request.x', type: 'float32', dims: [-1] } },
      outputs: { y: { type: 'float32', dims: [-1] } },
    }),
  },
  outputs: { y: 'echo.y' },
})

function checked<Value extends { readonly data: Float32Array }>(x: Value): Value {
  if (x.data[0] === -1) throw new Error('it began with -1')
  return x
}

/** Has two inputs and two outputs, and adds nothing up. */
export const pair = definePipeline({
  name: 'pair',
  stages: {
    pair: inline(({ a, constructor: b }) => ({ c: a, d: b }), {
      inputs: {
        a: { from: 'request.a', type: 'float32', dims: [2] },
        constructor: { from: 'request.constructor', type: 'int64', dims: [] },
      },
      outputs: { c: { type: 'float32', dims: [2] }, d: { type: 'int64', dims: [] } },
    }),
  },
  outputs: { c: 'pair.c', d: 'pair.d' },
})

/** All the engines of the suite, by the names under which they are served. */
export async function startModels(): Promise<Record<string, Engine>> {
  const started = await Promise.all([
    ...elementTypes.map(async (type) => [type, await Engine.start(identity(type))] as const),
    (async () => ['digits', await Engine.start(cascade)] as const)(),
    (async () =>
      ['team/digits', await Engine.start(stagePipeline(cascade, 'accurate'))] as const)(),
    (async () => ['echo', await Engine.start(echo)] as const)(),
    (async () => ['pair', await Engine.start(pair)] as const)(),
  ])
  return Object.fromEntries(started) as Record<string, Engine>
}

export async function closeAll(engines: Readonly<Record<string, Engine>>): Promise<void> {
  await Promise.all(Object.values(engines).map((engine) => engine.close()))
}
