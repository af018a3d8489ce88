import { describe, expect, it } from 'vitest'
import { definePipeline } from '../../src/pipeline/define-pipeline.ts'
import { functionSignatures } from '../../src/pipeline/function-signatures.ts'
import { inline } from '../../src/pipeline/inline.ts'
import { js } from '../../src/pipeline/js.ts'
import { onnx } from '../../src/pipeline/onnx.ts'
import { bind, type Models, model } from './pipeline-bound.ts'
import { errorOf } from './thrown.ts'

const run = () => ({})
const label = { type: 'int64', dims: [] }
const fn = (inputs: object, outputs: object = { label }) => {
  return inline(run as never, { inputs, outputs } as never)
}

function signatures(stages: object, models: Models = {}) {
  const conditional = ['gated']
  const outputs = Object.keys(stages).map((name) => {
    const from = `${name}.label`
    return [name, conditional.includes(name) ? { from, default: 0 } : from]
  })
  const pipeline = definePipeline({ stages, outputs: Object.fromEntries(outputs) } as never)
  return functionSignatures(pipeline, new Map(Object.entries(models)))
}
const inputsOf = (stages: object, models: Models = {}) => {
  return signatures(stages, models)
    .get('fn')
    ?.inputs.map(({ name, type, dims }) => [name, type, dims])
}

const embed = onnx('embed.onnx', { inputs: { ids: 'request.ids' } })
const embedding = model(['ids int64 n,sequence'], ['label float32 n,384', 'wide float32 n,k'])

describe('the signature of a function', () => {
  it('has what is declared, with rows in front', () => {
    const page = { from: 'request.page', type: 'uint8', dims: [-1, 3] }
    const outputs = { label, crops: { type: 'float32', dims: [-1, 8] } }
    const stage = js(new URL('file:///a.js'), { inputs: { page }, outputs } as never)
    expect(signatures({ fn: stage }).get('fn')).toEqual({
      inputs: [{ name: 'page', type: 'uint8', dims: [-1, -1, 3], symbols: ['rows', '', ''] }],
      outputs: [
        { name: 'label', type: 'int64', dims: [-1], symbols: ['rows'] },
        { name: 'crops', type: 'float32', dims: [-1, -1, 8], symbols: ['rows', '', ''] },
      ],
    })
  })

  it('is made for functions alone', () => {
    expect([
      ...signatures({ embed, fn: fn({ x: 'embed.label' }) }, { embed: embedding }).keys(),
    ]).toEqual(['fn'])
  })

  it.each<[string, object, readonly unknown[]]>([
    ['a model', { embed, fn: fn({ x: 'embed.label' }) }, ['x', 'float32', [-1, 384]]],
    [
      'another function',
      { fn: fn({ x: 'b.label' }), b: fn({ x: { from: 'request.x', type: 'int8', dims: [2] } }) },
      ['x', 'int64', [-1]],
    ],
    [
      'a model that takes the same input of the request',
      { embed, fn: fn({ x: 'request.ids' }) },
      ['x', 'int64', [-1, -1]],
    ],
    [
      'a function that takes the same',
      { fn: fn({ x: 'request.x' }), b: fn({ x: { from: 'request.x', type: 'int8', dims: [2] } }) },
      ['x', 'int8', [-1, 2]],
    ],
    [
      'another input of its own',
      { fn: fn({ w: { from: 'request.x', type: 'int8', dims: [2] }, x: 'request.x' }) },
      ['x', 'int8', [-1, 2]],
    ],
    [
      'all that take the same, where each fixes a part',
      {
        embed,
        fn: fn({ x: 'request.ids' }),
        b: fn({ x: { from: 'request.ids', type: 'int64', dims: [7] } }),
      },
      ['x', 'int64', [-1, 7]],
    ],
  ])('follows from %s', (_, stages, expected) => {
    expect(inputsOf(stages, { embed: embedding })?.at(-1)).toEqual(expected)
  })

  it('is open where candidates differ in size', () => {
    const gated = onnx('g.onnx', {
      inputs: { ids: 'request.ids' },
      when: { output: 'embed.one', above: 0 },
    })
    const stages = { embed, gated, fn: fn({ x: ['gated.label', 'embed.wide'] }) }
    const models = {
      embed: model(['ids int64 n,s'], ['label float32 n,384', 'wide float32 n,k', 'one int8 n']),
      gated: embedding,
    }
    expect(inputsOf(stages, models)).toEqual([['x', 'float32', [-1, -1]]])
  })

  it('binds like that of a model', () => {
    const stages = { embed, fn: fn({ x: 'embed.label' }) }
    const bound = bind({ stages, outputs: { y: 'fn.label' } }, { embed: embedding })
    expect(bound).toMatchObject({ batched: true, outputs: [{ type: 'int64', dims: [-1] }] })
    expect(bound.stages[1]).toMatchObject({ batched: true, inputSpecs: [{ dims: [-1, 384] }] })
  })

  it('has one row in a pipeline that is not batched', () => {
    const stages = { embed, fn: fn({ x: 'embed.label' }) }
    const single = model(['ids int64 1,7'], ['label float32 1,384'])
    const bound = bind({ stages, outputs: { y: 'fn.label' } }, { embed: single })
    expect(bound).toMatchObject({ batched: false, outputs: [{ type: 'int64', dims: [1] }] })
  })

  it.each<[string, object, Models, string]>([
    [
      'of a request nobody describes',
      { fn: fn({ x: 'request.x' }) },
      {},
      `stage "fn" (inline run), input "x": nothing says what 'request.x' is; write { from, type, dims } with the dims of one row`,
    ],
    [
      'of requests that only functions take that do not say',
      { fn: fn({ x: 'request.x' }), b: fn({ x: 'request.x' }) },
      {},
      "nothing says what 'request.x' is",
    ],
    [
      'of an output that is not there',
      { embed, fn: fn({ x: 'embed.lable' }) },
      { embed: embedding },
      `input "x": the model embed.onnx has no output "lable" for 'embed.lable'; did you mean "label"?`,
    ],
    [
      'of an output that the function does not have',
      { b: fn({ x: { from: 'request.x', type: 'int8', dims: [] } }), fn: fn({ x: 'b.lable' }) },
      {},
      'the function inline run has no output "lable"',
    ],
    [
      'of a tensor that has no rows',
      { embed, fn: fn({ x: 'embed.label' }) },
      { embed: model(['ids int64 1'], ['label float32 3,4']) },
      "'embed.label' is float32[3, 4], whose first dimension cannot count rows; a function takes",
    ],
    [
      'of a type nobody can carry',
      { embed, fn: fn({ x: 'embed.label' }) },
      { embed: model(['ids int64 n'], ['label complex64 n']) },
      'the model declares "label" as complex64',
    ],
    [
      'of a model that is missing',
      { embed, fn: fn({ x: 'embed.label' }) },
      {},
      'stage "embed": expected its model',
    ],
  ])('cannot be made %s', (_, stages, models, message) => {
    const error = errorOf(() => signatures(stages, models))
    expect(error.message).toContain(message)
    expect(error.code).toBe('MILLRACE_INVALID_PIPELINE')
  })

  it('must fit what feeds it', () => {
    const stages = { embed, fn: fn({ x: { from: 'embed.label', type: 'float32', dims: [12] } }) }
    const error = errorOf(() => bind({ stages, outputs: { y: 'fn.label' } }, { embed: embedding }))
    expect(error.message).toContain(
      `input "x": shapes differ: the function takes float32[rows, 12], 'embed.label' is float32[n, 384]`,
    )
  })
})
