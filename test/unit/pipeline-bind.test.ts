import { describe, expect, it } from 'vitest'
import { onnx } from '../../src/pipeline/onnx.ts'
import type { ModelSignature } from '../../src/pipeline/tensor-spec.ts'
import { bind, cascade, digits, type Models, model } from './pipeline-bound.ts'
import { plainStage } from './plain-stage.ts'
import { errorOf } from './thrown.ts'

// One stage `a` and what it is to result in.
function single(outputs: unknown = { y: 'a.y' }, inputs: object = { x: 'request.x' }) {
  return { stages: { a: onnx('a.onnx', { inputs: { ...inputs } }) }, outputs }
}

// Stage `b` after `a`.
function chain(from = 'a.y') {
  return {
    stages: {
      a: onnx('a.onnx', { inputs: { x: 'request.x' } }),
      b: onnx('b.onnx', { inputs: { z: from } }),
    },
    outputs: { y: 'b.y', a: 'a.y' },
  }
}

describe('a bound pipeline', () => {
  it('refers by index', () => {
    const bound = bind(cascade(), { fast: digits, accurate: digits })
    expect(bound).toEqual({
      batched: true,
      inputs: [{ name: 'image', type: 'float32', dims: [-1, 784] }],
      stages: [
        {
          name: 'fast',
          ...plainStage,
          batched: true,
          inputs: [[{ kind: 'request', input: 0 }]],
          inputSpecs: digits.inputs,
          outputs: digits.outputs,
          condition: undefined,
        },
        {
          name: 'accurate',
          ...plainStage,
          batched: true,
          inputs: [[{ kind: 'request', input: 0 }]],
          inputSpecs: digits.inputs,
          outputs: digits.outputs,
          condition: {
            source: { stage: 0, output: 1 },
            type: 'float32',
            below: Math.fround(0.8),
            above: undefined,
            equals: undefined,
          },
        },
      ],
      outputs: [
        {
          perItem: false,
          name: 'label',
          type: 'int64',
          dims: [-1],
          sources: [
            { kind: 'stage', stage: 1, output: 0 },
            { kind: 'stage', stage: 0, output: 0 },
          ],
          fill: undefined,
        },
      ],
    })
  })

  it('has its stages in topological order, however they are written', () => {
    const { stages, outputs } = chain()
    const bound = bind(
      { stages: { b: stages.b, a: stages.a }, outputs },
      { a: model(['x int8 n'], ['y int8 n']), b: model(['z int8 n'], ['y int8 n']) },
    )
    expect(bound.stages.map(({ name }) => name)).toEqual(['a', 'b'])
    expect(bound.stages[1]?.inputs).toEqual([[{ kind: 'stage', stage: 0, output: 0 }]])
  })

  it('has the inputs of a stage in the order of its model', () => {
    const definition = single({ y: 'a.y' }, { second: 'request.two', first: 'request.one' })
    const bound = bind(definition, { a: model(['first int8 n', 'second int8 n'], ['y int8 n']) })
    expect(bound.inputs.map(({ name }) => name)).toEqual(['two', 'one'])
    expect(bound.stages[0]?.inputs).toEqual([
      [{ kind: 'request', input: 1 }],
      [{ kind: 'request', input: 0 }],
    ])
  })

  it('lists the candidates of a join', () => {
    const { stages } = cascade()
    const join = onnx('join.onnx', { inputs: { z: ['accurate.label', 'fast.label'] } })
    const models = { fast: digits, accurate: digits, join: model(['z int64 n'], ['y int8 n']) }
    const bound = bind({ stages: { ...stages, join }, outputs: { y: 'join.y' } }, models)
    expect(bound.stages[2]?.inputs).toEqual([
      [
        { kind: 'stage', stage: 1, output: 0 },
        { kind: 'stage', stage: 0, output: 0 },
      ],
    ])
  })

  it('finds model inputs and outputs that are called like members of an object', () => {
    const definition = single({ y: 'a.toString' }, { constructor: 'request.valueOf' })
    const bound = bind(definition, { a: model(['constructor int8 n'], ['toString int8 n']) })
    expect(bound.inputs).toEqual([{ name: 'valueOf', type: 'int8', dims: [-1] }])
  })

  it('may hold the request beside what was computed', () => {
    const bound = bind(single({ y: 'a.y', x: 'request.x' }), {
      a: model(['x float32 n,3'], ['y int8 n']),
    })
    expect(bound.outputs[1]).toMatchObject({
      type: 'float32',
      dims: [-1, 3],
      sources: [{ kind: 'request', input: 0 }],
    })
  })
})

describe('a model', () => {
  it.each<[string, ModelSignature, boolean]>([
    ['all first dimensions are open', model(['x int8 n,3'], ['y int8 n', 'z int8 m']), true],
    ['an input has a fixed first dimension', model(['x int8 1,3'], ['y int8 n']), false],
    ['an output has a fixed first dimension', model(['x int8 n,3'], ['y int8 1']), false],
    ['an output is a scalar', model(['x int8 n'], ['y int8', 'z int8 n']), false],
  ])('is batched or not where %s', (_, signature, batched) => {
    const bound = bind(single(), { a: signature })
    expect(bound.batched).toBe(batched)
    expect(bound.stages[0]?.batched).toBe(batched)
  })

  it('of any element type can be served', () => {
    const types = 'float32 uint8 int8 uint16 int16 int32 int64 string bool float16 float64 uint32'
    for (const type of [...types.split(' '), 'uint64']) {
      const bound = bind(single(), { a: model([`x ${type} n`], [`y ${type} n`]) })
      expect(bound.outputs[0]?.type).toBe(type)
    }
  })

  it('may have outputs of unsupported types as long as nobody reads them', () => {
    const signature = model(['x int8 n'], ['y int8 n', 'c complex64 n'])
    expect(() => bind(single(), { a: signature })).not.toThrow()
    expect(() => bind(single({ y: 'a.c' }), { a: signature })).toThrow(
      'output "y", \'a.c\': the model declares "c" as complex64, which pipelines cannot carry',
    )
  })
})

describe('a pipeline of which one model is not batched', () => {
  const batched = model(['z float32 n,3'], ['y float32 n,5'])

  it('takes one row: the whole tensor', () => {
    const bound = bind(single(), { a: model(['x float32 2,3'], ['y float32']) })
    expect(bound).toMatchObject({
      batched: false,
      inputs: [{ dims: [2, 3] }],
      outputs: [{ dims: [] }],
    })
  })

  it.each(['1,3', 'k,3'])('gives a batched model a tensor of %s', (dims) => {
    const bound = bind(chain(), { a: model(['x int8 7'], [`y float32 ${dims}`]), b: batched })
    expect(bound.stages.map((stage) => stage.batched)).toEqual([false, true])
    expect(bound.outputs[0]?.dims).toEqual([1, 5])
  })

  it('takes one row for its batched models, too', () => {
    const models = { a: batched, b: model(['z float32 1,5'], ['y int8 1']) }
    const first = onnx('a.onnx', { inputs: { z: 'request.x' } })
    const bound = bind({ ...chain(), stages: { ...chain().stages, a: first } }, models)
    expect(bound.inputs).toEqual([{ name: 'x', type: 'float32', dims: [1, 3] }])
    expect(bound.stages[0]?.inputSpecs).toEqual(batched.inputs)
  })

  it.each(['4,3', '3'])('cannot give a batched model a tensor of %s', (dims) => {
    const models = { a: model(['x int8 7'], [`y float32 ${dims}`]), b: batched }
    expect(() => bind(chain(), models)).toThrow(
      'stage "b" (b.onnx), input "z": shapes differ: the model takes float32[1, 3], \'a.y\' is ' +
        `float32[${dims.replace(',', ', ')}] (requests have one row, since stage "a" is not batched); feed`,
    )
  })
})

describe('an input of the request', () => {
  const both = {
    stages: {
      a: onnx('a.onnx', { inputs: { x: 'request.x' } }),
      b: onnx('b.onnx', { inputs: { z: 'request.x' } }),
    },
    outputs: { a: 'a.y', b: 'b.y' },
  }

  it.each([
    ['n,h,3', 'n,224,w', [-1, 224, 3]],
    ['n,h', 'n,w', [-1, -1]],
    ['n,4', 'n,4', [-1, 4]],
  ])('that feeds %s and %s fits both', (first, second, dims) => {
    const models = {
      a: model([`x int8 ${first}`], ['y int8 n']),
      b: model([`z int8 ${second}`], ['y int8 n']),
    }
    expect(bind(both, models).inputs[0]?.dims).toEqual(dims)
  })

  it.each([
    ['int8 n,4', 'int8 n,5', 'int8[n, 4]', 'int8[n, 5]'],
    ['int8 n,4', 'uint8 n,4', 'int8[n, 4]', 'uint8[n, 4]'],
    ['int8 n,4', 'int8 n', 'int8[n, 4]', 'int8[n]'],
    ['int8 n,?', 'string ?', 'int8[n, ?]', 'string[?]'],
  ])('cannot feed %s and %s', (first, second, one, two) => {
    const models = {
      a: model([`x ${first}`], ['y int8 n']),
      b: model([`z ${second}`], ['y int8 n']),
    }
    expect(() => bind(both, models)).toThrow(
      `'request.x': it feeds input "x" of stage "a", ${one}, and input "z" of stage "b", ${two}, ` +
        'which no tensor fits; give each its own',
    )
  })

  it('that feeds three must fit every two of them', () => {
    const c = onnx('c.onnx', { inputs: { w: 'request.x' } })
    const models = {
      a: model(['x int8 n,?'], ['y int8 n']),
      b: model(['z int8 n,3'], ['y int8 n']),
      c: model(['w int8 n,4'], ['y int8 n']),
    }
    const definition = {
      stages: { ...both.stages, c },
      outputs: { ...both.outputs, c: 'c.y' },
    }
    expect(() => bind(definition, models)).toThrow('which no tensor fits')
  })
})

describe('a pipeline does not fit its models when', () => {
  const plain = model(['x float32 n,3'], ['y float32 n,3'])
  const cases: readonly (readonly [string, unknown, Models, string])[] = [
    ['one is missing', single(), {}, 'stage "a": expected its model, got none; load it first'],
    [
      'nothing feeds an input',
      single(),
      { a: model(['x int8 n', 'mask bool n,4'], ['y int8 n']) },
      'stage "a" (a.onnx): nothing feeds the model input "mask", bool[n, 4]; add it to inputs',
    ],
    [
      'a fed input does not exist',
      single({ y: 'a.y' }, { imgae: 'request.x' }),
      { a: model(['image int8 n', 'mask int8 n'], ['y int8 n']) },
      'the model has no input "imgae"; did you mean "image"? (there are: "image", "mask")',
    ],
    [
      'a model has no inputs',
      single(),
      { a: model([], ['y int8 n']) },
      'the model has no input "x"; there are none',
    ],
    [
      'a model input is of an unsupported type',
      single(),
      { a: model(['x complex64 n'], ['y int8 n']) },
      'stage "a" (a.onnx), input "x": the model declares "x" as complex64',
    ],
    [
      'an output does not exist',
      single({ y: 'a.lable' }),
      { a: model(['x int8 n'], ['label int8 n', 'p int8 n']) },
      'output "y": the model a.onnx has no output "lable" for \'a.lable\'; did you mean "label"? (there',
    ],
    [
      'a stage reads an output that does not exist',
      { ...chain('a.z'), outputs: { y: 'b.y' } },
      { a: plain, b: model(['z float32 n,3'], ['y int8 n']) },
      'stage "b" (b.onnx), input "z": the model a.onnx has no output "z" for \'a.z\'; did you mean "y"?',
    ],
    [
      'types differ',
      chain(),
      { a: plain, b: model(['z int64 n,3'], ['y int8 n']) },
      "types differ: the model takes int64[n, 3], 'a.y' is float32[n, 3]; feed it another value",
    ],
    [
      'shapes differ',
      chain(),
      { a: plain, b: model(['z float32 n,4'], ['y int8 n']) },
      "shapes differ: the model takes float32[n, 4], 'a.y' is float32[n, 3]; feed it another value",
    ],
    [
      'ranks differ',
      chain(),
      { a: plain, b: model(['z float32 n,3,1'], ['y int8 n']) },
      'shapes differ: the model takes float32[n, 3, 1]',
    ],
    [
      'candidates of an output differ in type',
      cascade(),
      { fast: digits, accurate: model(['image float32 n,784'], ['label int32 n']) },
      "output \"label\": candidates differ: 'accurate.label' is int32[n], 'fast.label' is int64[n]; list",
    ],
    [
      'candidates of an output differ in shape',
      cascade(),
      { fast: digits, accurate: model(['image float32 n,784'], ['label int64 n,1']) },
      "candidates differ: 'accurate.label' is int64[n, 1], 'fast.label' is int64[n]",
    ],
  ]

  it.each(cases)('%s', (_, definition, models, message) => {
    const error = errorOf(() => bind(definition, models))
    expect(error.message).toContain(message)
    expect(error.code).toBe('MILLRACE_INVALID_PIPELINE')
  })

  it('is told with the name of the pipeline', () => {
    expect(errorOf(() => bind(cascade(), {})).message).toMatch(/^pipeline "digits", stage "fast"/)
  })

  it('candidates differ although each fits the open input they feed', () => {
    const { stages } = cascade()
    const join = onnx('join.onnx', { inputs: { z: ['accurate.map', 'fast.map'] } })
    const models = {
      fast: model(['image int8 n'], ['confidence float32 n', 'map int8 n,3']),
      accurate: model(['image int8 n'], ['map int8 n,4']),
      join: model(['z int8 n,w'], ['y int8 n']),
    }
    const definition = { stages: { ...stages, join }, outputs: { y: 'join.y' } }
    expect(() => bind(definition, models)).toThrow(
      'stage "join" (join.onnx), input "z": candidates',
    )
  })
})
