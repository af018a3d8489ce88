import { readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { definePipeline, Engine, onnx, type Pipeline } from '../../src/index.ts'
import { modelFile } from './pipelines.ts'
import { rejectionOf } from './rejection.ts'

const pair = { a: 'request.a', b: 'request.b' } as const

function pipelineOf(source: string | URL | Uint8Array): Pipeline {
  return definePipeline({
    stages: { both: onnx(source, { inputs: pair }) },
    outputs: { sum: 'both.sum' },
  })
}

describe('a model that cannot be loaded', () => {
  const broken: [name: string, source: string | URL | Uint8Array, found: string][] = [
    ['a file that is missing', join(tmpdir(), 'no', 'model.onnx'), 'found nothing there'],
    ['a path with a zero byte', 'model\0.onnx', 'found nothing there'],
    ['a directory', tmpdir(), 'found no file'],
    ['a file cut short', modelFile('broken-truncated'), 'broken-truncated.onnx'],
    ['a file that is no model', modelFile('broken-garbage'), 'broken-garbage.onnx'],
    ['an opset of the future', modelFile('broken-opset'), 'opset'],
    ['bytes that are no model', new TextEncoder().encode('no model'), '8 bytes'],
    ['a model that takes no tensor', modelFile('sequence-input'), 'sequence-input.onnx'],
    ['a model that gives no tensor', modelFile('sequence-output'), 'sequence-output.onnx'],
  ]
  it.each(broken)('is named, with its stage: %s', async (_, source, found) => {
    const error = await rejectionOf(Engine.start(pipelineOf(source)))
    expect(error).toMatchObject({ code: 'MILLRACE_MODEL_LOAD', stage: 'both' })
    expect(error.message).toContain(found)
  })

  it('does not keep another engine from starting afterwards', async () => {
    await rejectionOf(Engine.start(pipelineOf(modelFile('broken-garbage'))))
    await using engine = await Engine.start(pipelineOf(modelFile('two-inputs')))
    const { sum } = await engine.infer({ a: Float32Array.of(1, 2), b: Float32Array.of(3, 4) })
    expect(sum?.data).toEqual(Float32Array.of(4, 6))
  })
})

describe('a model given as bytes', () => {
  it('serves like one from a file', async () => {
    const bytes = readFileSync(modelFile('two-inputs'))
    await using engine = await Engine.start(pipelineOf(bytes))
    const { sum } = await engine.infer({ a: Float32Array.of(1, 2), b: Float32Array.of(3, 4) })
    expect(sum?.data).toEqual(Float32Array.of(4, 6))
  })
})

describe('a pipeline that contradicts its models', () => {
  const both = onnx(modelFile('two-inputs'), { inputs: pair })
  const double = (reference: 'both.sum') =>
    onnx(modelFile('no-batch'), { inputs: { x: reference } })
  const contradictions: [name: string, pipeline: () => Pipeline, found: string[]][] = [
    [
      'an output that does not exist',
      () => definePipeline({ stages: { both }, outputs: { sum: 'both.summ' } }),
      ['no output "summ"', 'did you mean "sum"'],
    ],
    [
      'a condition on more than one element',
      () =>
        definePipeline({
          stages: {
            both,
            again: onnx(modelFile('two-inputs'), {
              inputs: pair,
              when: { output: 'both.sum', below: 1 },
            }),
          },
          outputs: { sum: ['again.sum', 'both.sum'] },
        }),
      ['expected one element a row', 'float32[batch, 2]'],
    ],
    [
      'an input of the model that nothing feeds',
      () =>
        definePipeline({
          stages: { both: onnx(modelFile('two-inputs'), { inputs: { a: 'request.a' } }) },
          outputs: { sum: 'both.sum' },
        }),
      ['nothing feeds the model input "b"'],
    ],
    [
      'shapes that differ between stages',
      () =>
        definePipeline({
          stages: { both, double: double('both.sum') },
          outputs: { y: 'double.y' },
        }),
      ['shapes differ', 'float32[3]'],
    ],
    [
      'types that differ between stages',
      () =>
        definePipeline({
          stages: {
            both,
            same: onnx(modelFile('identity-int32'), { inputs: { x: 'both.sum' } }),
          },
          outputs: { y: 'same.y' },
        }),
      ['types differ', 'int32[batch, 4]', 'float32[batch, 2]'],
    ],
  ]
  it.each(contradictions)('is refused when it starts: %s', async (_, pipeline, found) => {
    const error = await rejectionOf(Engine.start(pipeline()))
    expect(error.code).toBe('MILLRACE_INVALID_PIPELINE')
    for (const part of found) expect(error.message).toContain(part)
  })
})

describe('a model whose output is not of the shape it declares', () => {
  it('fails the request, not the engine', async () => {
    const pipeline = definePipeline({
      stages: { untrue: onnx(modelFile('untrue-shape'), { inputs: { x: 'request.x' } }) },
      outputs: { positive: 'untrue.positive' },
    })
    await using engine = await Engine.start(pipeline)
    const error = await rejectionOf(engine.infer({ x: Float32Array.of(-1) }))
    expect(error).toMatchObject({ code: 'MILLRACE_STAGE_FAILED', stage: 'untrue' })
    expect((await engine.infer({ x: Float32Array.of(2) })).positive.data).toEqual(
      Float32Array.of(2),
    )
  })
})
