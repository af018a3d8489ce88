import { describe, expect, it } from 'vitest'
import { definePipeline, onnx } from '../../src/index.ts'
import { withChosenModels } from '../../src/pipeline/chosen-models.ts'
import { changeConfiguration, resolveConfiguration } from '../../src/pipeline/configuration.ts'
import { errorOf } from './thrown.ts'

const inputs = { x: 'request.x' } as const
const listing = (models: unknown) => onnx({ models } as never, { inputs })
const small = { file: 'models/small.onnx', accuracy: 0.78 }
const large = { file: 'models/large.v2.onnx', accuracy: 0.81 }

describe('a stage that lists several models', () => {
  it('calls each by its file, or by the name it is given', () => {
    const bytes = new Uint8Array([8])
    const models = [
      small,
      large,
      { file: new URL('file:///models/third.onnx'), accuracy: 1 },
      { file: bytes, accuracy: 0, name: 'a name of its own' },
      { file: 'C:\\models\\fifth', accuracy: 0.5 },
      { file: 'models/.hidden', accuracy: 0.5 },
    ]
    expect(listing(models).models).toEqual([
      { name: 'small', source: 'models/small.onnx', accuracy: 0.78 },
      { name: 'large.v2', source: 'models/large.v2.onnx', accuracy: 0.81 },
      { name: 'third', source: '/models/third.onnx', accuracy: 1 },
      { name: 'a name of its own', source: bytes, accuracy: 0 },
      { name: 'fifth', source: 'C:\\models\\fifth', accuracy: 0.5 },
      { name: '.hidden', source: 'models/.hidden', accuracy: 0.5 },
    ])
  })

  it('has the first as its model, unless another one is chosen', () => {
    const stage = listing([small, large])
    expect(stage.source).toBe('models/small.onnx')
    expect(onnx('models/small.onnx', { inputs }).models).toBeUndefined()
  })

  it('does not change when its list does', () => {
    const models = [{ ...small }]
    const stage = listing(models)
    models.push(large)
    Object.assign(models[0] as object, { accuracy: 1 })
    expect(stage.models).toMatchObject([{ name: 'small', accuracy: 0.78 }])
    expect(Object.isFrozen(stage.models) && Object.isFrozen(stage.models?.[0])).toBe(true)
  })

  it.each<[models: unknown, message: string]>([
    [[], 'onnx(), models: expected a list of at least one model, got an array of 0'],
    [undefined, 'onnx(), models: expected a list of at least one model, got undefined'],
    [{ small }, 'got an object with small; give [{ file, accuracy }, …]'],
    [['small.onnx'], 'onnx(), models[0]: expected a plain object, got the string "small.onnx"'],
    [new Array(1), 'onnx(), models[0]: expected a plain object, got undefined'],
    [
      [small, { ...large, accurcy: 1 }],
      'models[1]: unknown key "accurcy"; did you mean "accuracy"?',
    ],
    [
      [{ accuracy: 1 }],
      'onnx(), models[0], file: expected a string that is not empty, got undefined',
    ],
    [[{ ...small, file: new Uint8Array() }], 'models[0], file: expected the bytes of a model'],
    [[{ file: 'small.onnx' }], 'accuracy: expected a finite number from 0 to 1, got undefined'],
    [[{ ...small, accuracy: 1.01 }], 'got the number 1.01'],
    [[{ ...small, accuracy: -0.01 }], 'got the number -0.01'],
    [[{ ...small, accuracy: Number.NaN }], 'got the number NaN'],
    [[{ ...small, accuracy: '0.8' }], 'got the string "0.8"'],
    [
      [{ file: new Uint8Array(8), accuracy: 1 }],
      'models[0], name: expected a string that is not empty, got undefined; give the name that',
    ],
    [[{ ...small, name: '' }], 'models[0], name: expected a string that is not empty'],
    [[{ ...small, name: 5 }], 'got the number 5'],
    [[{ ...small, name: 'm'.repeat(129) }], 'models[0], name: expected 1 to 128 characters'],
    [[{ ...small, name: '__proto__' }], 'got the string "__proto__"'],
    [
      [small, large, { ...small, file: 'other/small.onnx' }],
      'models[2], name: "small" is the name of models[0], too; give each a name of its own',
    ],
  ])('is refused with %j', (models, message) => {
    const error = errorOf(() => listing(models))
    expect(error.code).toBe('MILLRACE_INVALID_PIPELINE')
    expect(error.message).toContain(message)
  })

  it('is refused with more than a list', () => {
    const error = errorOf(() => onnx({ models: [small], model: 'small' } as never, { inputs }))
    expect(error.message).toContain('onnx(): unknown key "model"; did you mean "models"?')
  })
})

describe('the configuration of stages that list models', () => {
  const pipeline = definePipeline({
    name: 'chosen',
    stages: { listed: listing([small, large]), plain: onnx('plain.onnx', { inputs }) },
    outputs: { y: 'listed.y', z: 'plain.y' },
  })
  const resolve = (configuration: unknown) =>
    resolveConfiguration(pipeline, { configuration, cores: 2 })

  it('chooses the first where it says nothing, and otherwise the one it names', () => {
    expect(resolve({}).get('listed')?.model).toBe('small')
    expect(resolve({}).get('plain')?.model).toBeUndefined()
    expect(resolve({ listed: { model: undefined } }).get('listed')?.model).toBe('small')
    expect(resolve({ listed: { model: 'large.v2' } }).get('listed')?.model).toBe('large.v2')
  })

  it('keeps the choice where a change does not name one', () => {
    const current = resolve({ listed: { model: 'large.v2' } })
    const changed = changeConfiguration(pipeline, {
      configuration: { listed: { replicas: 3 } },
      current,
    })
    expect(changed.get('listed')).toMatchObject({ model: 'large.v2', replicas: 3 })
  })

  it.each<[configuration: unknown, message: string]>([
    [
      { listed: { model: 'smal' } },
      'configuration.listed.model: expected one of "small", "large.v2", got the string "smal"; did you mean "small"?',
    ],
    [{ listed: { model: null } }, 'got null; give one of these'],
    [{ listed: { model: Symbol('small') } }, 'got a symbol'],
    [{ listed: { model: Object.create(null) } }, 'got an empty object'],
    [
      { plain: { model: 'small' } },
      'configuration.plain.model: expected none, since the stage lists no models to choose from, got the string "small"',
    ],
  ])('is refused by name: %j', (configuration, message) => {
    const error = errorOf(() => resolve(configuration))
    expect(error.code).toBe('MILLRACE_INVALID_OPTION')
    expect(error.message).toContain(message)
  })

  it('gives a pipeline whose stages have the chosen models alone', () => {
    const chosen = withChosenModels(pipeline, resolve({ listed: { model: 'large.v2' } }))
    expect(chosen.stages).toMatchObject({
      listed: { source: 'models/large.v2.onnx', models: undefined, inputs: { x: ['request.x'] } },
      plain: { source: 'plain.onnx' },
    })
    expect(chosen.name).toBe('chosen')
    expect(pipeline.stages.listed).toMatchObject({ source: 'models/small.onnx' })
  })
})
