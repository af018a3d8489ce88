import { describe, expect, it } from 'vitest'
import { definePipeline, inline, onnx } from '../../src/index.ts'
import { changeConfiguration, resolveConfiguration } from '../../src/pipeline/configuration.ts'
import type { Providers } from '../../src/pipeline/providers.ts'
import { errorOf } from './thrown.ts'

const inputs = { image: 'request.image' } as const

function stageOf(providers: unknown) {
  return onnx('model.onnx', { inputs, providers: providers as Providers })
}

function pipelineOf(providers?: Providers) {
  return definePipeline({
    stages: { model: onnx('model.onnx', { inputs, ...(providers && { providers }) }) },
    outputs: { label: 'model.label' },
  })
}

function resolve(given: {
  providers?: Providers
  stage?: Record<string, unknown>
  faults?: Record<string, string>
}) {
  const { providers, stage = {}, faults = {} } = given
  const resolved = resolveConfiguration(pipelineOf(providers), {
    configuration: { model: stage },
    cores: 8,
    faults: new Map(Object.entries(faults)),
  })
  return resolved.get('model')
}

describe('the providers of a stage', () => {
  it('are names, or names with settings, which become the texts of ONNX Runtime', () => {
    const { providers } = stageOf([
      { provider: 'cuda', options: { gpu_mem_limit: 2 ** 31, use_tf32: false } },
      { provider: 'webgpu', options: { preferredLayout: 'NHWC' } },
      'cpu',
    ])
    expect(providers).toEqual([
      { provider: 'cuda', options: { gpu_mem_limit: '2147483648', use_tf32: '0' } },
      { provider: 'webgpu', options: { preferredLayout: 'NHWC' } },
      { provider: 'cpu', options: {} },
    ])
    expect(Object.isFrozen(providers)).toBe(true)
  })

  it('are undefined where none are listed', () => {
    expect(onnx('model.onnx', { inputs }).providers).toBeUndefined()
  })

  it.each([
    [[], /list one at least/],
    ['cuda', /expected a list of providers/],
    [null, /expected a list of providers/],
    [['gpu'], /providers\[0\]: expected one of "cpu", "cuda", "tensorrt", "webgpu"/],
    [['cuda', 'cpu', 'cuda'], /expected each provider once, got "cuda" again/],
    [[{ provider: 'cuda', option: {} }], /unknown key "option"; did you mean "options"/],
    [[{ provider: 'cuda', options: { use_tf23: true } }], /did you mean "use_tf32"/],
    [[{ provider: 'cuda', options: { device_id: 1 } }], /no setting "device_id"/],
    [[{ provider: 'cuda', options: { use_tf32: 'yes' } }], /use_tf32: expected true or false/],
    [[{ provider: 'cuda', options: { gpu_mem_limit: 0.5 } }], /expected an integer/],
    [[{ provider: 'webgpu', options: { preferredLayout: 'NWHC' } }], /"NCHW", "NHWC"/],
    [[{ provider: 'webgpu', options: { forceCpuNodeNames: '' } }], /a string that is not empty/],
    [[{ provider: 'webgpu', options: { constructor: '1' } }], /no setting "constructor"/],
    [[{ provider: 'cpu', options: { use_tf32: true } }], /"cpu" has no setting/],
  ])('are refused: %j', (providers, message) => {
    const error = errorOf(() => stageOf(providers))
    expect(error.code).toBe('MILLRACE_INVALID_PIPELINE')
    expect(error.message).toMatch(message)
  })
})

describe('the tier of a stage', () => {
  it('is the first of its providers, with one replica on an accelerator', () => {
    expect(resolve({ providers: ['cuda', 'cpu'] })).toMatchObject({ tier: 'cuda', replicas: 1 })
    expect(resolve({ providers: ['cpu', 'cuda'] })).toMatchObject({ tier: 'cpu-1', replicas: 8 })
    expect(resolve({})).toMatchObject({ tier: 'cpu-1', threads: 1 })
  })

  it('may be any where it lists no providers', () => {
    expect(resolve({ stage: { tier: 'cuda-1' } })).toMatchObject({ tier: 'cuda-1', threads: 1 })
    expect(resolve({ stage: { tier: 'webgpu', replicas: 3 } })).toMatchObject({ replicas: 3 })
  })

  it('gives way to the next provider listed that is not faulty, and takes its defaults', () => {
    const providers: Providers = ['cuda', 'webgpu', 'cpu']
    expect(resolve({ providers, faults: { cuda: 'no driver' } })?.tier).toBe('webgpu')
    const faults = { cuda: 'no driver', webgpu: 'no Vulkan' }
    expect(resolve({ providers, faults })).toMatchObject({ tier: 'cpu-1', replicas: 8 })
    const asked = { tier: 'webgpu', replicas: 2 }
    expect(resolve({ providers, stage: asked, faults })).toMatchObject({
      tier: 'cpu-1',
      replicas: 2,
    })
  })

  it('gives way to none listed before it', () => {
    const given = { providers: ['cpu', 'webgpu'], stage: { tier: 'webgpu' } } as const
    const error = errorOf(() => resolve({ ...given, faults: { webgpu: 'no Vulkan' } }))
    expect(error).toMatchObject({ code: 'MILLRACE_DEVICE_UNAVAILABLE', status: 500 })
  })

  it('is an error that says why, and what to do, where all of them are faulty', () => {
    const faults = { cuda: 'no driver; install it', webgpu: 'no Vulkan; install it' }
    const error = errorOf(() => resolve({ providers: ['cuda', 'webgpu'], faults }))
    expect(error.message).toBe(
      'configuration.model.tier: "cuda" cannot be used here: no driver; install it. ' +
        '"webgpu" cannot be used here: no Vulkan; install it. ' +
        "Or list a fallback: onnx(…, { providers: ['cuda', 'cpu'] })",
    )
  })

  it('is one of the providers listed', () => {
    const given = { providers: ['cuda', 'cpu'], stage: { tier: 'webgpu' } } as const
    const error = errorOf(() => resolve(given))
    expect(error.code).toBe('MILLRACE_INVALID_OPTION')
    expect(error.message).toContain("expected a tier of the stage's providers (cuda, cpu)")
  })

  it('of a function is cpu-1', () => {
    const pipeline = definePipeline({
      stages: {
        model: onnx('model.onnx', { inputs }),
        twice: inline(async (batch) => batch, {
          inputs: { x: 'model.y' },
          outputs: { y: { type: 'float32', dims: [] } },
        } as never),
      },
      outputs: { label: 'twice.y' },
    } as never)
    const configuration = { twice: { tier: 'webgpu' } }
    const error = errorOf(() => resolveConfiguration(pipeline, { configuration, cores: 1 }))
    expect(error.message).toContain('expected "cpu-1"')
  })

  it('stays as it is where a change does not name it', () => {
    const pipeline = pipelineOf(['cuda', 'cpu'])
    const current = resolveConfiguration(pipeline, {
      configuration: {},
      cores: 4,
      faults: new Map([['cuda', 'no driver']]),
    })
    const next = changeConfiguration(pipeline, {
      configuration: { model: { maxBatch: 2 } },
      current,
    })
    expect(next.get('model')).toMatchObject({ tier: 'cpu-1', replicas: 4, maxBatch: 2 })
  })
})
