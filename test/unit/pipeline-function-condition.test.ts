import { describe, expect, it } from 'vitest'
import { definePipeline } from '../../src/pipeline/define-pipeline.ts'
import { type InlineStage, inline } from '../../src/pipeline/inline.ts'
import { onnx } from '../../src/pipeline/onnx.ts'
import type { Tensor } from '../../src/pipeline/tensor.ts'
import { bind, digits, image } from './pipeline-bound.ts'
import { errorOf } from './thrown.ts'

const fast = onnx('fast.onnx', { inputs: image })
const context = { rows: 1, deadlineMs: 1, signal: new AbortController().signal, state: undefined }

function asking(test: unknown, output = 'fast.confidence') {
  const accurate = onnx('accurate.onnx', { inputs: image, when: { output, test } } as never)
  const stages = { accurate, fast }
  return { name: 'digits', stages, outputs: { label: ['accurate.label', 'fast.label'] } }
}
const define = (definition: object) => definePipeline(definition as never)

function decide(test: unknown, value: Tensor): unknown {
  const stages: Record<string, unknown> = define(asking(test)).stages
  return (stages['accurate:when'] as InlineStage).run({ value }, context)
}

describe('a condition with a test', () => {
  it('becomes an inline stage before its stage, which asks what that found', () => {
    const pipeline = define(asking(() => true))
    expect(pipeline.order).toEqual(['fast', 'accurate:when', 'accurate'])
    expect(pipeline.stages).toMatchObject({
      'accurate:when': {
        kind: 'inline',
        inputs: { value: ['fast.confidence'] },
        outputs: { holds: { type: 'bool', dims: [] } },
        batched: false,
        concurrency: 1,
      },
      accurate: { source: 'accurate.onnx', when: { output: 'accurate:when.holds', equals: true } },
    })
    expect(Object.isFrozen(pipeline.stages)).toBe(true)
  })

  it('is evaluated by the core as a truth value', () => {
    const bound = bind(
      asking(() => true),
      { fast: digits, accurate: digits },
    )
    expect(bound.stages[1]).toMatchObject({
      name: 'accurate:when',
      inputSpecs: [{ name: 'value', type: 'float32', dims: [-1, 1] }],
    })
    expect(bound.stages[2]?.condition).toMatchObject({
      source: { stage: 1, output: 0 },
      type: 'bool',
      equals: 1,
    })
  })

  it.each<[string, Tensor, unknown]>([
    ['a number', { type: 'float32', dims: [1], data: new Float32Array([0.5]) }, 0.5],
    ['half a number', { type: 'float16', dims: [], data: new Uint16Array([0x3800]) }, 0.5],
    ['a bigint', { type: 'int64', dims: [], data: new BigInt64Array([7n]) }, 7n],
    ['a boolean', { type: 'bool', dims: [1, 1], data: new Uint8Array([1]) }, true],
    ['a string', { type: 'string', dims: [], data: ['de'] }, 'de'],
  ])('is given %s where the row has one element', (_, value, expected) => {
    const seen: unknown[] = []
    const test = (given: unknown) => seen.push(given) > 0
    expect(decide(test, value)).toEqual({ holds: true })
    expect(seen).toEqual([expected])
  })

  it('is given the tensor of any other row', () => {
    const value: Tensor = { type: 'int8', dims: [2], data: new Int8Array([1, 2]) }
    expect(decide((given: unknown) => given !== value, value)).toEqual({ holds: false })
  })

  it.each([
    ['a promise', async () => true, 'but returned a Promise'],
    ['nothing', () => undefined, 'but returned undefined'],
    ['a number', () => 1, 'but returned the number 1'],
  ])('fails the row when it returns %s', (_, test, message) => {
    const value: Tensor = { type: 'int8', dims: [], data: new Int8Array(1) }
    expect(() => decide(test, value)).toThrow(
      `the test of stage "accurate" must return true or false at once, ${message}`,
    )
  })

  it('may look at a value of any shape', () => {
    expect(() =>
      bind(
        asking(() => true, 'fast.label'),
        { fast: digits, accurate: digits },
      ),
    ).not.toThrow()
  })

  it('speaks of the stages as they are written', () => {
    expect(errorOf(() => define(asking(() => true, 'fsat.x'))).message).toContain(
      'stage "accurate", when: there is no stage "fsat"',
    )
    expect(errorOf(() => define(asking('yes'))).message).toContain('test: expected a function')
    const both = { output: 'fast.label', test: () => true, below: 1 }
    expect(errorOf(() => onnx('m', { inputs: image, when: both } as never)).message).toContain(
      'got bounds and a test; put the bounds into the test',
    )
  })

  it('has a name that no other stage can have', () => {
    const definition = { stages: { 'fast:when': fast }, outputs: { y: 'fast:when.y' } }
    expect(errorOf(() => define(definition)).message).toContain('expected a name of 1 to 128')
  })

  it('leaves its stage as it is for other pipelines', () => {
    const { stages } = asking(() => true)
    define(asking(() => true))
    expect(stages.accurate.when?.test).toBeTypeOf('function')
  })

  it('counts among the stages, of which there are 64', () => {
    const run = () => ({ y: 0 })
    const when = { output: 'fast.confidence', test: () => true }
    const names = Array.from({ length: 32 }, (_, index) => `s${index}`)
    const make = (count: number) => {
      const made = names.slice(0, count).map((name) => {
        const options = { inputs: image, outputs: { y: { type: 'int8', dims: [] } }, when }
        return [name, inline(run, options as never)]
      })
      const outputs = names.slice(0, count).map((name) => {
        return [name, { from: `${name}.y`, default: 0 }]
      })
      return define({
        stages: { fast, ...Object.fromEntries(made) },
        outputs: Object.fromEntries(outputs),
      })
    }
    expect(make(31).order).toHaveLength(63)
    expect(errorOf(() => make(32)).message).toContain(
      'expected at most 64, got 65 with those that decide a condition with a test; split it',
    )
  })
})
