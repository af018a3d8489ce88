import { describe, expect, it } from 'vitest'
import { bind, cascade, digits, model } from './pipeline-bound.ts'
import { errorOf } from './thrown.ts'

describe('a condition', () => {
  const bindWhen = (when: object, output: string) => {
    const fast = model(['image float32 n,784'], ['label int64 n', `confidence ${output}`])
    return bind(cascade(when), { fast, accurate: digits }).stages[1]?.condition
  }

  it.each([
    ['float32 n', { above: 0.1, below: 0.8 }, { above: Math.fround(0.1), below: Math.fround(0.8) }],
    ['float64 n,1', { below: 0.8 }, { below: 0.8 }],
    ['float16 n,1,1', { equals: 0.1 }, { equals: 0.0999755859375 }],
    ['float32 n', { equals: 0.1 }, { equals: Math.fround(0.1) }],
    ['int64 n', { below: 2.5 }, { below: 2.5 }],
    ['int64 n', { equals: 7n }, { equals: 7 }],
    ['int64 n', { equals: 7 }, { equals: 7 }],
    ['uint8 n', { equals: 255 }, { equals: 255 }],
    ['bool n', { equals: true }, { equals: 1 }],
    ['bool n', { equals: false }, { equals: 0 }],
    ['string n', { equals: 'cat' }, { equals: 'cat' }],
  ])('on %s may be %o', (output, when, expected) => {
    const type = output.split(' ')[0]
    expect(bindWhen(when, output)).toMatchObject({
      ...expected,
      type,
      source: { stage: 0, output: 1 },
    })
  })

  it.each([
    [
      'float32 n,2',
      { below: 1 },
      "expected one element a row, got 'fast.confidence', float32[n, 2]",
    ],
    ['float32 n,k', { below: 1 }, 'float32[n, k]; reduce it to a fixed'],
    ['float32 n,0', { below: 1 }, 'expected one element a row'],
    [
      'string n',
      { below: 1 },
      'below and above compare numbers, but the output is string; use equals',
    ],
    ['bool n', { above: 0 }, 'below and above compare numbers, but the output is bool'],
    [
      'string n',
      { equals: 1 },
      'equals: expected a string, got the number 1; the output is string',
    ],
    ['bool n', { equals: 1 }, 'equals: expected a boolean, got the number 1'],
    ['float32 n', { equals: 'x' }, 'equals: expected a number, got the string "x"'],
    ['float32 n', { equals: true }, 'equals: expected a number, got the boolean true'],
    ['int32 n', { equals: 0.5 }, 'equals: expected an integer from -2147483648 to 2147483647'],
    ['uint8 n', { equals: 256n }, 'an integer from 0 to 255'],
    ['int64 n', { equals: 2n ** 53n }, 'expected an integer within 2^53, got 9007199254740992'],
  ])('on %s cannot be %o', (output, when, message) => {
    const error = errorOf(() => bindWhen(when, output))
    expect(error.message).toContain('stage "accurate" (accurate.onnx), when')
    expect(error.message).toContain(message)
  })

  it('may ask a model that is not batched for one element in all', () => {
    const models = { fast: model(['image float32 n,784'], ['label int64', 'confidence float32']) }
    const accurate = model(['image float32 n,784'], ['label int64'])
    const bound = bind(cascade(), { ...models, accurate })
    expect(bound.stages[1]?.condition?.source).toEqual({ stage: 0, output: 1 })
  })

  it('cannot ask a model that is not batched for several elements', () => {
    const fast = model(['image float32 1,784'], ['label int64 1', 'confidence float32 3'])
    expect(() => bind(cascade(), { fast, accurate: fast })).toThrow('expected one element a row')
  })

  it('asks for an output that exists', () => {
    const fast = model(['image float32 n,784'], ['label int64 n'])
    expect(() => bind(cascade(), { fast, accurate: digits })).toThrow(
      'when: the model fast.onnx has no output "confidence" for \'fast.confidence\'; there is: "label"',
    )
  })
})

describe('an output', () => {
  const filled = (value: unknown, output: string) => {
    const definition = { ...cascade(), outputs: { y: { from: 'accurate.y', default: value } } }
    const accurate = model(['image float32 n,784'], [`y ${output}`])
    return bind(definition, { fast: digits, accurate }).outputs[0]
  }

  it.each([
    ['float32 n,3', 0.1, Math.fround(0.1)],
    ['float32 n', Number.NaN, Number.NaN],
    ['int64 n', -1, -1n],
    ['uint8 n', 7n, 7],
    ['bool n', false, false],
    ['string n', '', ''],
  ])('of %s may be filled with %s', (output, value, fill) => {
    expect(filled(value, output)?.fill).toEqual(fill)
  })

  it.each([
    ['float32 n', '0', 'default: expected a number, got the string "0"; the output is float32'],
    ['string n', 0, 'default: expected a string, got the number 0'],
    ['int32 n', 0.5, 'default: expected an integer from'],
    ['int8 n', 200, 'default: expected an integer from -128 to 127'],
    ['bool n', 0, 'default: expected a boolean'],
    ['float32 n,k', 0, 'rows to fill need a fixed shape, but the output is float32[?, ?]'],
  ])('of %s is not filled with %s', (output, value, message) => {
    expect(() => filled(value, output)).toThrow(message)
  })

  it.each([
    ['n,4,5', 'n,4,k'],
    ['n,4,k', 'n,4,5'],
  ])('has the shape that all its candidates promise: %s and %s', (first, second) => {
    const fast = model(['image float32 n,784'], [`label int64 ${first}`, 'confidence float32 n'])
    const accurate = model(['image float32 n,784'], [`label int64 ${second}`])
    expect(bind(cascade(), { fast, accurate }).outputs[0]?.dims).toEqual([-1, 4, -1])
  })
})
