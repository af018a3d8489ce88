import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { onnx } from '../../src/pipeline/onnx.ts'
import { errorOf } from './thrown.ts'

const fromRequest = { image: 'request.image' } as const

// As JavaScript sees it: what the compiler would refuse must be refused when it runs, too.
const makeStage = (source: unknown, options: unknown) => onnx(source as never, options as never)

describe('an onnx stage', () => {
  it('takes its model from a path, a file URL or bytes', () => {
    const bytes = new Uint8Array([8])
    const url = pathToFileURL('m.onnx')
    expect(makeStage('a/m.onnx', { inputs: fromRequest }).source).toBe('a/m.onnx')
    expect(makeStage(url, { inputs: fromRequest }).source).toMatch(/m\.onnx$/)
    expect(makeStage(url.href, { inputs: fromRequest }).source).toMatch(/m\.onnx$/)
    expect(makeStage('C:\\m.onnx', { inputs: fromRequest }).source).toBe('C:\\m.onnx')
    expect(makeStage(bytes, { inputs: fromRequest }).source).toBe(bytes)
    expect(makeStage(Buffer.from([8]), { inputs: fromRequest }).source).toHaveLength(1)
  })

  it('keeps candidates as a list, and its session configuration', () => {
    const config = { 'session.set_denormal_as_zero': '1' }
    const made = onnx('m.onnx', { inputs: { a: 'request.a', b: ['x.b', 'request.b'] }, config })
    expect(made.inputs).toEqual({ a: ['request.a'], b: ['x.b', 'request.b'] })
    expect(made.config).toEqual(config)
    expect(made.when).toBeUndefined()
  })

  it('does not change when its options do', () => {
    const inputs = { a: ['request.a'] }
    const made = makeStage('m.onnx', { inputs })
    inputs.a.push('request.b')
    expect(made.inputs).toEqual({ a: ['request.a'] })
  })

  const withInputs = (more: object) => ({ inputs: fromRequest, ...more })
  const cases: readonly (readonly [string, unknown, unknown, string])[] = [
    ['without a model', undefined, withInputs({}), 'source: expected a string'],
    ['with an empty path', '', withInputs({}), 'give the path, a file: URL or the bytes'],
    ['with no bytes', new Uint8Array(), withInputs({}), 'got none; read the file first'],
    ['with an ArrayBuffer', new ArrayBuffer(8), withInputs({}), 'got an ArrayBuffer'],
    ['with a web address', new URL('https://a.b/m'), withInputs({}), 'expected a file: URL'],
    ['with a web address as text', 'https://a.b/m.onnx', withInputs({}), 'got https:'],
    ['with another host', new URL('file://host/m.onnx'), withInputs({}), 'names no file here'],
    ['without options', 'm.onnx', undefined, 'onnx(m.onnx): expected a plain object'],
    ['without inputs', 'm.onnx', {}, 'onnx(m.onnx), inputs: expected a plain object'],
    ['with no inputs', 'm.onnx', { inputs: {} }, 'expected at least one input, got none'],
    ['with a number for an input', 'm.onnx', { inputs: { a: 1 } }, 'input "a": expected a ref'],
    ['with an empty list', 'm.onnx', { inputs: { a: [] } }, 'got an empty list'],
    ['with a list in a list', 'm.onnx', { inputs: { a: [['request.a']] } }, 'got an array of 1'],
    ['with an unknown key', 'm.onnx', withInputs({ wen: 1 }), 'did you mean "when"?'],
    ['with a configured number', 'm.onnx', withInputs({ config: { a: 1 } }), 'config, a: expected'],
    ['with a nameless key', 'm.onnx', withInputs({ config: { '': '1' } }), '1 to 1024 characters'],
    ['with bytes that fail', new Uint8Array(3), { inputs: [] }, 'onnx(3 bytes), inputs'],
  ]

  it.each(cases)('is refused %s', (_, source, options, message) => {
    const error = errorOf(() => makeStage(source, options))
    expect(error.message).toContain(message)
    expect(error.code).toBe('MILLRACE_INVALID_PIPELINE')
  })
})

describe('a condition', () => {
  const gate = (when: unknown) => makeStage('m.onnx', { inputs: fromRequest, when })

  it.each([
    { below: 0.8 },
    { above: -1 },
    { below: 2, above: 1 },
    { below: Number.POSITIVE_INFINITY },
    { equals: 3 },
    { equals: 3n },
    { equals: 'cat' },
    { equals: '' },
    { equals: false },
    { equals: 0, below: 1 },
  ])('may be %o', (tests) => {
    expect(gate({ output: 'a.p', ...tests }).when).toMatchObject(tests)
  })

  it.each([
    ['is not an object', true, 'when: expected a plain object'],
    ['is null', null, 'when: expected a plain object, got null'],
    ['has no output', { below: 1 }, 'when, output: expected a reference'],
    ['has a list of outputs', { output: ['a.p'], below: 1 }, 'got an array of 1'],
    ['asks the request', { output: 'request.p', below: 1 }, 'expected the output of a stage'],
    [
      'tests nothing',
      { output: 'a.p' },
      'expected bounds or a test, got none; give below, above, equals or test',
    ],
    ['has an unknown test', { output: 'a.p', bellow: 1 }, 'did you mean "below"?'],
    [
      'is below NaN',
      { output: 'a.p', below: Number.NaN },
      'below: expected a number, got the numb',
    ],
    ['is above text', { output: 'a.p', above: '1' }, 'above: expected a number, got the string'],
    ['equals NaN', { output: 'a.p', equals: Number.NaN }, 'equals: expected a number, bigint'],
    ['equals an object', { output: 'a.p', equals: {} }, 'nothing else can be compared with'],
    ['equals null', { output: 'a.p', equals: null }, 'got null'],
    [
      'excludes everything',
      { output: 'a.p', above: 2, below: 1 },
      'nothing is above 2 and below 1',
    ],
    ['excludes its value', { output: 'a.p', equals: 1, below: 1 }, 'below 1 and equal to 1'],
    ['excludes its bigint', { output: 'a.p', equals: 1n, above: 3 }, 'above 3 and equal to 1'],
  ])('is refused when it %s', (_, when, message) => {
    expect(errorOf(() => gate(when)).message).toContain(message)
  })
})
