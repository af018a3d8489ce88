import { describe, expect, it } from 'vitest'
import { cuda, definePipeline } from '../../src/index.ts'
import { changeConfiguration, resolveConfiguration } from '../../src/pipeline/configuration.ts'
import { functionSignatures } from '../../src/pipeline/function-signatures.ts'
import { errorOf } from './thrown.ts'

const text = '__global__ void twice(const float* x, float* y, unsigned rows) {}'
const ptx = '// made by hand\n/* .version */ .version 8.0\n.entry twice'
const options = {
  kernel: 'twice',
  inputs: { x: { from: 'request.x', type: 'float32', dims: [4] } },
  outputs: { y: { type: 'float32', dims: [4] } },
} as const

const stageOf = (given: Record<string, unknown>, source: unknown = text) =>
  cuda(source as string, { ...options, ...given } as never)

function pipelineOf(given: Record<string, unknown> = {}) {
  return definePipeline({
    stages: { double: cuda(text, { ...options, ...given }) },
    outputs: { y: 'double.y' },
  })
}

describe('cuda()', () => {
  it('is a frozen stage with all defaults filled in', () => {
    const stage = cuda(text, options)
    expect(stage).toMatchObject({
      kind: 'cuda',
      language: 'c++',
      kernel: 'twice',
      grid: [1, 1],
      block: [256, 1, 1],
      sharedBytes: 0,
      graphs: false,
      defines: {},
      fallback: undefined,
      batched: true,
      fanOut: false,
      inputs: { x: ['request.x'] },
    })
    expect(Object.isFrozen(stage)).toBe(true)
  })

  it.each([
    [ptx, 'ptx'],
    ['\n  .version 7.8\n', 'ptx'],
    ['// .version 7.8\nextern "C" __global__ void twice() {}', 'c++'],
    ['float version = .5;', 'c++'],
    ['/* a */ int x; /* b */ .version', 'c++'],
  ])('tells PTX by how it begins: %j', (source, language) => {
    expect(cuda(source, options).language).toBe(language)
  })

  it('takes grid and block as one number, or as several', () => {
    expect(stageOf({ grid: 3, block: 64 })).toMatchObject({ grid: [3, 1], block: [64, 1, 1] })
    expect(stageOf({ grid: [3, 2], block: [8, 8, 4] })).toMatchObject({
      grid: [3, 2],
      block: [8, 8, 4],
    })
  })

  it('makes macros of strings and numbers', () => {
    expect(stageOf({ defines: { WIDTH: 4, SCALE: '0.5f' } })).toMatchObject({
      defines: { WIDTH: '4', SCALE: '0.5f' },
    })
  })

  it.each([
    [{ kernel: '' }, /kernel: expected a string that is not empty/],
    [{ grid: 0 }, /grid: expected an integer from 1 to 65535, got the number 0/],
    [{ grid: [1, 2, 3] }, /grid: expected blocks of a row: a number, or two/],
    [{ grid: '4' }, /grid: expected blocks of a row/],
    [{ block: [1, 2] }, /block: expected threads of a block: a number, or three/],
    [{ block: 2048 }, /block: expected an integer from 1 to 1024/],
    [{ block: [1, 1, 65] }, /block: expected an integer from 1 to 64/],
    [{ block: [32, 33, 1] }, /expected at most 1024 threads in a block, got 1056/],
    [{ sharedBytes: 65536 }, /sharedBytes: expected an integer from 0 to 49152/],
    [{ graphs: 1 }, /graphs: expected true or false, got the number 1/],
    [{ defines: { 'A B': 1 } }, /expected names of macros, got the string "A B"/],
    [{ defines: { A: Number.NaN } }, /defines, A: expected a string or a finite number/],
    [{ fallback: 1 }, /fallback: expected a function, got the number 1/],
    [
      { outputs: { y: { type: 'string', dims: [] } } },
      /output "y": expected numbers .*got strings/,
    ],
    [
      { outputs: { y: { type: 'float32', dims: [-1, 4] } } },
      /without an open dimension.*\[-1, 4\]/,
    ],
    [
      { inputs: { x: { from: 'request.x', type: 'float32', dims: [-1] } } },
      /input "x": expected numbers without an open dimension/,
    ],
    [{ fanOut: true }, /unknown key "fanOut"/],
    [{ gather: 'cut' }, /unknown key "gather"/],
  ])('refuses %j', (given, message) => {
    const error = errorOf(() => stageOf(given))
    expect(error).toMatchObject({ code: 'MILLRACE_INVALID_PIPELINE' })
    expect(error.message).toMatch(message)
  })

  it('refuses what is no text', () => {
    expect(errorOf(() => stageOf({}, 1)).message).toMatch(/source: expected a string/)
    expect(errorOf(() => stageOf({}, '')).message).toMatch(/give the text of the kernel/)
  })

  it('refuses macros for PTX', () => {
    expect(errorOf(() => stageOf({ defines: { A: 1 } }, ptx)).message).toMatch(/PTX has no macros/)
  })

  it('takes and gives rows, as a function does', () => {
    const signature = functionSignatures(pipelineOf(), new Map()).get('double')
    expect(signature?.inputs).toMatchObject([{ name: 'x', type: 'float32', dims: [-1, 4] }])
    expect(signature?.outputs).toMatchObject([{ name: 'y', type: 'float32', dims: [-1, 4] }])
  })
})

describe('the tier of a cuda() stage', () => {
  const fallback = () => ({ y: new Float32Array(4) })

  function resolve(given: {
    fallback?: unknown
    stage?: Record<string, unknown>
    faults?: Record<string, string>
  }) {
    const pipeline = pipelineOf(given.fallback === undefined ? {} : { fallback: given.fallback })
    const { stage = {}, faults = {} } = given
    return resolveConfiguration(pipeline, {
      configuration: { double: stage },
      cores: 8,
      faults: new Map(Object.entries(faults)),
    }).get('double')
  }

  it('is "cuda", with one replica', () => {
    expect(resolve({})).toMatchObject({ tier: 'cuda', replicas: 1, maxBatch: 16 })
  })

  it('may name a device', () => {
    expect(resolve({ stage: { tier: 'cuda-2' } })).toMatchObject({ tier: 'cuda-2' })
  })

  it('gives way to the fallback, where there is one, for want of what kernels need', () => {
    const faults = { 'cuda c++': 'no compiler' }
    expect(resolve({ fallback, faults })).toMatchObject({ tier: 'cpu-1', replicas: 1 })
  })

  it('asks nothing of what models need', () => {
    expect(resolve({ faults: { cuda: 'no provider library' } })).toMatchObject({ tier: 'cuda' })
  })

  it('is an error that says why, where there is none', () => {
    const error = errorOf(() => resolve({ faults: { 'cuda c++': 'no compiler; install it' } }))
    expect(error).toMatchObject({ code: 'MILLRACE_DEVICE_UNAVAILABLE' })
    expect(error.message).toBe(
      'configuration.double.tier: "cuda" cannot be used here: no compiler; install it. ' +
        'Or list a fallback: cuda(…, { fallback: a function that does the same })',
    )
  })

  it.each([['cpu-2'], ['webgpu'], ['tensorrt']])('is not %s', (tier) => {
    const error = errorOf(() => resolve({ fallback, stage: { tier } }))
    expect(error.message).toMatch(/expected "cuda" or "cpu-1", since cuda\(\) runs on one thread/)
  })

  it('is the CPU only with a fallback', () => {
    expect(resolve({ fallback, stage: { tier: 'cpu-1' } })).toMatchObject({ tier: 'cpu-1' })
    expect(errorOf(() => resolve({ stage: { tier: 'cpu-1' } })).message).toMatch(
      /expected a tier of the stage's providers \(cuda\), got "cpu-1"/,
    )
  })

  it('may change while it serves', () => {
    const pipeline = pipelineOf({ fallback })
    const current = resolveConfiguration(pipeline, { configuration: {}, cores: 8 })
    const configuration = { double: { tier: 'cpu-1' } }
    expect(changeConfiguration(pipeline, { configuration, current }).get('double')).toMatchObject({
      tier: 'cpu-1',
    })
  })
})
