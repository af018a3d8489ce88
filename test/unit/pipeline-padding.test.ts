import { describe, expect, it } from 'vitest'
import { onnx } from '../../src/pipeline/onnx.ts'
import type { ModelSignature } from '../../src/pipeline/tensor-spec.ts'
import { bind, model } from './pipeline-bound.ts'
import { errorOf } from './thrown.ts'

const inputs = { ids: 'request.ids', mask: 'request.mask' }
const padded = (pad: unknown) => onnx('encoder.onnx', { inputs, pad } as never)
const encoder = model(
  ['ids int64 n,sequence', 'mask int64 n,sequence'],
  ['tokens float32 n,sequence,8', 'pooled float32 n,8', 'spans float32 n,?,2'],
)
const both = { ids: 0, mask: 0 }

function bindPad(pad: unknown, { read = ['tokens', 'pooled'], signature = encoder }: Given = {}) {
  const outputs = Object.fromEntries(read.map((name) => [name, `a.${name}`]))
  return bind({ stages: { a: padded(pad) }, outputs }, { a: signature }).stages[0]
}
interface Given {
  readonly read?: readonly string[]
  readonly signature?: ModelSignature
}

describe('padding', () => {
  it('is a value, or one with sizes', () => {
    const sized = { value: 1n, buckets: [16, 32] }
    expect(padded({ ids: sized, mask: false }).pad).toEqual({
      ids: sized,
      mask: { value: false, buckets: [] },
    })
    expect(onnx('m.onnx', { inputs: { ids: 'request.ids' } }).pad).toEqual({})
  })

  it.each<[string, unknown, string]>([
    ['a number for all', 0, 'onnx(encoder.onnx), pad: expected a plain object, got the number 0'],
    [
      'an input that nothing feeds',
      { idz: 0 },
      'nothing feeds an input "idz"; did you mean "ids"?',
    ],
    ['text', { ids: '' }, '"ids": expected a plain object, got the string ""'],
    ['no value', { ids: { buckets: [1] } }, 'value: expected a number, bigint or boolean'],
    ['an unknown key', { ids: { value: 0, bucket: [1] } }, 'did you mean "buckets"?'],
    ['one size', { ids: { value: 0, buckets: 16 } }, 'expected a list of at most 64 sizes'],
    ['many sizes', { ids: { value: 0, buckets: Array(65).fill(1) } }, 'got an array of 65'],
    ['a size of 0', { ids: { value: 0, buckets: [0] } }, 'buckets[0]: expected an integer from 1'],
    ['half a size', { ids: { value: 0, buckets: [8, 8.5] } }, 'buckets[1]: expected an integer'],
    [
      'sizes out of order',
      { ids: { value: 0, buckets: [8, 4] } },
      'expected ascending sizes, got 4',
    ],
    ['a size twice', { ids: { value: 0, buckets: [8, 8] } }, 'got 8 out of order; sort them'],
  ])('is refused with %s', (_, pad, message) => {
    const error = errorOf(() => padded(pad))
    expect(error.message).toContain(message)
    expect(error.code).toBe('MILLRACE_INVALID_PIPELINE')
  })
})

describe('a padded stage, bound', () => {
  it('has for each input what fills it, in the type of the input', () => {
    const mask = { value: 1, buckets: [16, 32] }
    expect(bindPad({ ...both, mask })?.padding).toEqual([
      { value: 0n, buckets: [] },
      { value: 1n, buckets: [16, 32] },
    ])
    expect(bindPad({ mask: 0 })?.padding).toEqual([undefined, { value: 0n, buckets: [] }])
  })

  it('cuts outputs back to the dimension of the same name', () => {
    expect(bindPad(both)?.trims).toEqual([
      [{ input: 0, dim: 0 }, undefined],
      [undefined],
      [undefined, undefined],
    ])
    expect(bindPad({ mask: 0 })?.trims[0]).toEqual([{ input: 1, dim: 0 }, undefined])
  })

  it('cuts every dimension by its own name', () => {
    const signature = model(['ids int8 n,h,w', 'mask int8 n,w,k'], ['tokens int8 n,k,w,h'])
    expect(bindPad({ ids: 1, mask: 2 }, { signature, read: ['tokens'] })?.trims).toEqual([
      [
        { input: 1, dim: 1 },
        { input: 0, dim: 1 },
        { input: 0, dim: 0 },
      ],
    ])
  })

  it('leaves dimensions that only unfilled inputs have', () => {
    const signature = model(['ids int8 n,s', 'mask int8 n,k'], ['tokens int8 n,k'])
    expect(bindPad({ ids: 0 }, { signature, read: ['tokens'] })?.trims).toEqual([[undefined]])
  })

  it('asks nothing of outputs that nobody reads, and nothing where it does not pad', () => {
    expect(() => bindPad(both, { read: ['pooled'] })).not.toThrow()
    expect(bindPad(undefined, { read: ['spans'] })).toMatchObject({ padding: [], trims: [] })
  })

  const string = model(['ids string n,s', 'mask int8 n,s'], ['tokens int8 n'])
  const fixed = model(['ids int64 n,8', 'mask int64 n,s'], ['tokens int8 n'])
  const single = model(['ids int64 1,s', 'mask int64 1,s'], ['tokens int8 1'])
  const typed = (type: string) => model([`ids ${type} n,s`, 'mask int8 n,s'], ['tokens int8 n'])
  const read = ['tokens']

  it.each<[string, unknown, Given, string]>([
    [
      'an output whose size nothing tells',
      both,
      { read: ['spans'] },
      'output "spans" is float32[n, ?, 2]: with pad, dimension 1 could be that of a filled row',
    ],
    ['strings', { ids: 0 }, { signature: string, read }, 'strings, which cannot be filled'],
    ['rows of one size', both, { signature: fixed, read }, 'int64[n, 8], has no open dimension'],
    ['a model without batches', both, { signature: single, read }, 'pad makes rows share a batch'],
    ['half an integer', { ids: 0.5 }, {}, '"ids", value: expected an integer from'],
    [
      'a boolean for a number',
      { ids: true },
      { signature: typed('float32'), read },
      'expected a n',
    ],
    [
      'a number for a boolean',
      { ids: 0 },
      { signature: typed('bool'), read },
      'expected a boolean',
    ],
  ])('is refused with %s', (_, pad, given, message) => {
    const error = errorOf(() => bindPad(pad, given))
    expect(error.message).toContain('stage "a" (encoder.onnx)')
    expect(error.message).toContain(message)
    expect(error.code).toBe('MILLRACE_INVALID_PIPELINE')
  })
})

describe('a stage, bound', () => {
  it('hands on its cache and whether it is isolated', () => {
    const options = { inputs, isolate: false, cache: { maxBytes: 1024 } }
    const stages = { a: onnx('m.onnx', options as never) }
    const bound = bind({ stages, outputs: { pooled: 'a.pooled' } }, { a: encoder })
    expect(bound.stages[0]).toMatchObject({
      isolate: false,
      cache: { maxBytes: 1024, ttlMs: Number.POSITIVE_INFINITY },
    })
  })
})
