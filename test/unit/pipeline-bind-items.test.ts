import { describe, expect, it } from 'vitest'
import { inline } from '../../src/pipeline/inline.ts'
import { onnx } from '../../src/pipeline/onnx.ts'
import { bind, digits, type Models, model } from './pipeline-bound.ts'
import { errorOf } from './thrown.ts'

const run = () => ({})
const make = (options: object) => inline(run as never, options as never)

// page -> segment (fan-out) -> fast -> join (gathers segment)
const segment = make({
  inputs: { page: { from: 'request.page', type: 'uint8', dims: [-1] } },
  outputs: {
    crops: { type: 'float32', dims: [-1, 784] },
    boxes: { type: 'int32', dims: [-1, 4] },
  },
  fanOut: true,
})
const fast = onnx('fast.onnx', { inputs: { image: 'segment.crops' } })
const join = make({
  inputs: { labels: 'fast.label', boxes: 'segment.boxes', page: 'request.page' },
  outputs: { text: { type: 'string', dims: [] } },
  gather: 'segment',
})
const outputs = { text: 'join.text', labels: 'fast.label', boxes: 'segment.boxes' }
const pages = { name: 'pages', stages: { segment, fast, join }, outputs }

describe('a fan-out, bound', () => {
  const bound = bind(pages, { fast: digits })

  it('is told to the core by index', () => {
    expect(bound.stages.map(({ name, fanOut, gather }) => [name, fanOut, gather])).toEqual([
      ['segment', true, undefined],
      ['fast', false, undefined],
      ['join', false, 0],
    ])
  })

  it('has items behind rows in its own tensors', () => {
    expect(bound.stages[0]?.outputs.map(({ dims }) => dims)).toEqual([
      [-1, -1, 784],
      [-1, -1, 4],
    ])
  })

  it('is gathered with items behind rows, beside values of the row', () => {
    expect(bound.stages[2]?.inputSpecs.map(({ type, dims }) => [type, dims])).toEqual([
      ['int64', [-1, -1]],
      ['int32', [-1, -1, 4]],
      ['uint8', [-1, -1]],
    ])
  })

  it('counts items in the outputs of the pipeline', () => {
    expect(bound.outputs.map(({ name, dims, perItem }) => [name, dims, perItem])).toEqual([
      ['text', [-1], false],
      ['labels', [-1], true],
      ['boxes', [-1, 4], true],
    ])
  })

  it('may be a model, and be gathered by one', () => {
    const stages = {
      detect: onnx('detect.onnx', { inputs: { x: 'request.x' }, fanOut: true }),
      pool: onnx('pool.onnx', { inputs: { z: 'detect.y', x: 'request.x' }, gather: 'detect' }),
    }
    const models: Models = {
      detect: model(['x float32 n,3'], ['y float32 n,boxes,8']),
      pool: model(['z float32 n,items,8', 'x float32 n,3'], ['p float32 n']),
    }
    const { inputs, outputs } = bind({ stages, outputs: { p: 'pool.p', y: 'detect.y' } }, models)
    expect(inputs).toEqual([{ name: 'x', type: 'float32', dims: [-1, 3] }])
    expect(outputs[1]).toMatchObject({ dims: [-1, 8], perItem: true })
  })

  it('nests', () => {
    const words = make({
      inputs: { line: 'lines.line' },
      outputs: { word: { type: 'string', dims: [-1] } },
      fanOut: true,
    })
    const lines = make({
      inputs: { page: { from: 'request.page', type: 'uint8', dims: [] } },
      outputs: { line: { type: 'uint8', dims: [3, -1] } },
      fanOut: true,
    })
    const all = make({
      inputs: { words: 'words.word', line: 'lines.line' },
      outputs: { n: { type: 'int32', dims: [] } },
      gather: 'words',
    })
    const stages = { lines, words, all }
    const bound = bind({ stages, outputs: { word: 'words.word', n: 'all.n' } }, {})
    expect(bound.outputs).toMatchObject([
      { dims: [-1], perItem: true },
      { dims: [-1], perItem: true },
    ])
    expect(bound.stages.map(({ inputSpecs }) => inputSpecs.map(({ dims }) => dims))).toEqual([
      [[-1]],
      [[-1, -1]],
      [
        [-1, -1],
        [-1, -1],
      ],
    ])
  })

  it('fills what no candidate ran for, item by item', () => {
    const gated = make({
      inputs: { image: 'segment.crops' },
      outputs: { label: { type: 'int64', dims: [] } },
      when: { output: 'fast.confidence', below: 0.8 },
    })
    const stages = { segment, fast, gated }
    const output = { from: 'gated.label', default: -1 }
    const bound = bind({ stages, outputs: { label: output } }, { fast: digits })
    expect(bound.outputs[0]).toMatchObject({ fill: -1n, perItem: true, dims: [-1] })
    expect(bound.stages[2]?.condition?.source).toEqual({ stage: 1, output: 1 })
  })
})

describe('a fan-out is refused', () => {
  const detect = (signature: Models['a'], more: object = {}) => {
    const stages = { a: onnx('a.onnx', { inputs: { x: 'request.x' }, fanOut: true }), ...more }
    const ends = Object.keys(more).map((name) => [name, `${name}.p`])
    const outputs = { y: 'a.y', ...Object.fromEntries(ends) }
    return (rest: Models = {}) => bind({ stages, outputs }, { a: signature, ...rest } as Models)
  }
  const pool = onnx('pool.onnx', { inputs: { z: 'a.y' }, gather: 'a' })
  const boxes = model(['x int8 n'], ['y int8 n,boxes,8'])

  it.each<[string, () => unknown, string]>([
    [
      'whose rows have no dimension',
      detect(model(['x int8 n'], ['y int8 n'])),
      'output "y", int8[n], has no dimension; give it one',
    ],
    [
      'whose outputs cannot agree on how many',
      detect(model(['x int8 n'], ['y int8 n,3', 'z int8 n,k', 'w int8 n,4'])),
      'of each row "y" has 3, "w" has 4; make them equal',
    ],
    [
      'beside a model that is not batched',
      () => {
        const one = onnx('one.onnx', { inputs: { x: 'request.x' } })
        return detect(boxes, { one })({ one: model(['x int8 1'], ['p int8 1']) })
      },
      'stage "a" fans out, which needs all models batched, but the model of stage "one" is not',
    ],
    [
      'when its model is not batched',
      detect(model(['x int8 1'], ['y int8 1,boxes,8'])),
      'needs all models batched, but the model of stage "a" is not',
    ],
    [
      'gathered into a fixed number',
      () => detect(boxes, { pool })({ pool: model(['z int8 n,5,8'], ['p int8 n']) }),
      'input "z": it gathers items, [rows, items, ...] with any number of items, but is int8[n, 5, 8]',
    ],
    [
      'gathered into rows',
      () => detect(boxes, { pool })({ pool: model(['z int8 n'], ['p int8 n']) }),
      'but is int8[n]; leave its second dimension open',
    ],
    [
      'gathered into items of another size',
      () => detect(boxes, { pool })({ pool: model(['z int8 n,k,9'], ['p int8 n']) }),
      "the model takes int8[items, 9], 'a.y' is int8[items, 8]",
    ],
    [
      'gathered beside an input that nothing feeds, whatever it is called',
      () =>
        detect(boxes, { pool })({
          pool: model(['z int8 n,k,8', 'constructor int8 n'], ['p int8 n']),
        }),
      'nothing feeds the model input "constructor"',
    ],
    [
      'read as rows',
      () => {
        const one = onnx('one.onnx', { inputs: { z: 'a.y' } })
        return detect(boxes, { one })({ one: model(['z int8 n,boxes,8'], ['p int8 n']) })
      },
      "the model takes int8[n, boxes, 8], 'a.y' is int8[items, 8]",
    ],
  ])('%s', (_, act, message) => {
    const error = errorOf(act)
    expect(error.message).toContain(message)
    expect(error.code).toBe('MILLRACE_INVALID_PIPELINE')
  })
})
