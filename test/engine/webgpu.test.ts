// Models on a real second device: ONNX Runtime's WebGPU provider, over SwiftShader where there is no GPU.
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  definePipeline,
  devices,
  Engine,
  onnx,
  type Providers,
  type Tensor,
} from '../../src/index.ts'
import { loadAddon } from '../../src/native/load.ts'
import { findOnnxRuntime, onnxRuntimeVersion } from '../../src/native/onnx-runtime.ts'
import { digitsModel, imagesOf, modelFile, readDigits } from './pipelines.ts'
import { rejectionOf } from './rejection.ts'
import { skipWebGpu } from './webgpu.ts'

const digits = readDigits()
const some = imagesOf(digits.slice(0, 24))
const image = { inputs: { image: 'request.image' } } as const
/** Loading fails where ONNX Runtime would leave any operator to the CPU. */
const wholly = { config: { 'session.disable_cpu_ep_fallback': '1' } } as const

function digitsOn(providers: Providers) {
  const given = { ...image, providers }
  return definePipeline({
    name: 'digits',
    stages: {
      fast: onnx(digitsModel('fast'), given),
      accurate: onnx(digitsModel('accurate'), given),
    },
    outputs: {
      fast: 'fast.label',
      sure: 'fast.confidence',
      accurate: 'accurate.label',
      surer: 'accurate.confidence',
    },
  })
}

/** Labels are equal, numbers nearly so. */
function expectSame(found: Readonly<Record<string, Tensor>>, wanted: typeof found): void {
  expect(Object.keys(found)).toEqual(Object.keys(wanted))
  for (const [name, { type, dims, data }] of Object.entries(wanted)) {
    const value = found[name] as Tensor
    expect({ type: value.type, dims: value.dims }, name).toEqual({ type, dims })
    const [ours, theirs] = [Array.from(value.data, Number), Array.from(data, Number)]
    const worst = Math.max(0, ...ours.map((one, at) => Math.abs(one - (theirs[at] ?? Number.NaN))))
    expect(worst, name).toBeLessThan(1e-4)
  }
}

describe.skipIf(skipWebGpu)('a model on WebGPU', () => {
  it('is among what devices() finds', async () => {
    const found = await devices()
    expect(found.providers.webgpu).toEqual({ usable: true })
    const [device] = found.devices.filter(({ kind }) => kind === 'webgpu')
    expect(device).toMatchObject({
      name: expect.stringMatching(/./),
      type: expect.stringMatching(/./),
    })
  })

  it('gives what it gives on the CPU: the digits models', async () => {
    await using onCpu = await Engine.start(digitsOn(['cpu']))
    const wanted = await onCpu.infer(some)
    await using onGpu = await Engine.start(digitsOn(['webgpu']))
    expect(onGpu.configuration).toMatchObject({
      fast: { tier: 'webgpu', replicas: 1 },
      accurate: { tier: 'webgpu', replicas: 1 },
    })
    expectSame(await onGpu.infer(some), wanted)
    const apart = await onGpu.inferMany(digits.slice(0, 3).map((one) => imagesOf([one])))
    expect(apart.map(({ accurate }) => accurate.data[0])).toEqual([
      ...wanted.accurate.data.slice(0, 3),
    ])
  })

  const x = Float32Array.from([0.5, -1, 2, 1e-3, 4, 5, -6, 7])
  it.each([
    ['identity-float32', { x }, ['y']],
    ['two-inputs', { a: x, b: x.map((value) => value * 3) }, ['sum', 'difference']],
    [
      'dynamic-sequence',
      { tokens: { type: 'float32', dims: [2, 4], data: x } },
      ['doubled', 'total'],
    ],
    ['no-batch', { x: Float32Array.of(1, 2, 3) }, ['y']],
    [
      'fixed-batch',
      { x: { type: 'float32', dims: [1, 3], data: Float32Array.of(1, 2, 3) } },
      ['y'],
    ],
    ['gather', { index: BigInt64Array.of(3n, 9n, 0n) }, ['square']],
  ] as const)('gives what it gives on the CPU: %s', async (name, inputs, outputs) => {
    const pipelineOn = (providers: Providers) =>
      definePipeline({
        stages: {
          model: onnx(modelFile(name), {
            inputs: Object.fromEntries(Object.keys(inputs).map((key) => [key, `request.${key}`])),
            providers,
          }),
        },
        outputs: Object.fromEntries(outputs.map((output) => [output, `model.${output}`])),
      } as never) as never
    await using onCpu = await Engine.start(pipelineOn(['cpu']))
    await using onGpu = await Engine.start(pipelineOn(['webgpu']))
    expectSame(await onGpu.infer(inputs as never), await onCpu.infer(inputs as never))
  })

  it('runs there wholly, and takes settings', async () => {
    const pipeline = definePipeline({
      stages: {
        fast: onnx(digitsModel('fast'), {
          ...image,
          ...wholly,
          providers: [
            { provider: 'webgpu', options: { preferredLayout: 'NCHW', validationMode: 'basic' } },
          ],
        }),
      },
      outputs: { label: 'fast.label' },
    })
    await using engine = await Engine.start(pipeline)
    expect((await engine.infer(some)).label.data).toHaveLength(24)
  })

  it('may stand beside one on the CPU', async () => {
    const pipeline = definePipeline({
      stages: {
        fast: onnx(digitsModel('fast'), { ...image, providers: ['cpu'] }),
        accurate: onnx(digitsModel('accurate'), {
          ...image,
          providers: ['webgpu'],
          when: { output: 'fast.confidence', below: 0.9 },
        }),
      },
      outputs: { label: ['accurate.label', 'fast.label'] },
    })
    await using mixed = await Engine.start(pipeline)
    await using plain = await Engine.start(digitsOn(['cpu']))
    const { label } = await mixed.infer(some)
    const { fast, accurate, sure } = await plain.infer(some)
    expect([...label.data]).toEqual(
      [...sure.data].map((one, row) => (Number(one) < 0.9 ? accurate : fast).data[row]),
    )
    expect(mixed.stats().stages.accurate.rows).toBeGreaterThan(0)
  })

  it('is run by one replica at a time, whatever engines and replicas there are', async () => {
    const configuration = {
      fast: { replicas: 3, maxBatch: 2 },
      accurate: { replicas: 3, maxBatch: 3 },
    }
    await using one = await Engine.start(digitsOn(['webgpu']), { configuration })
    await using other = await Engine.start(digitsOn(['webgpu']), { configuration })
    await using plain = await Engine.start(digitsOn(['cpu']))
    const requests = digits.slice(0, 24).map((digit) => imagesOf([digit]))
    const [ours, others] = await Promise.all([one.inferMany(requests), other.inferMany(requests)])
    const wanted = await plain.inferMany(requests)
    for (const [at, result] of wanted.entries()) {
      expectSame(ours[at] as typeof result, result)
      expectSame(others[at] as typeof result, result)
    }
  })

  it('moves to the CPU and back while it serves', async () => {
    await using engine = await Engine.start(digitsOn(['webgpu', 'cpu']))
    const wanted = await engine.infer(some)
    const pending = Promise.all([engine.infer(some), engine.infer(some)])
    await engine.apply({ fast: { tier: 'cpu-1' }, accurate: { tier: 'cpu-2' } })
    expect(engine.configuration).toMatchObject({
      fast: { tier: 'cpu-1' },
      accurate: { tier: 'cpu-2' },
    })
    expectSame(await engine.infer(some), wanted)
    await engine.apply({ fast: { tier: 'webgpu' } })
    expect(engine.configuration.fast.tier).toBe('webgpu')
    for (const result of [...(await pending), await engine.infer(some)]) expectSame(result, wanted)
  })

  it('is swapped on its tier', async () => {
    const pipeline = definePipeline({
      stages: { digits: onnx(digitsModel('fast'), { ...image, ...wholly, providers: ['webgpu'] }) },
      outputs: { label: 'digits.label' },
    })
    await using engine = await Engine.start(pipeline)
    await engine.swap('digits', digitsModel('accurate'))
    expect(engine.configuration.digits.tier).toBe('webgpu')
    await using plain = await Engine.start(digitsOn(['cpu']))
    expect((await engine.infer(some)).label).toEqual((await plain.infer(some)).accurate)
  })

  it('ends with its engine, runs under way and waiting included', async () => {
    const engine = await Engine.start(digitsOn(['webgpu']), {
      configuration: { fast: { replicas: 2, maxBatch: 1 }, accurate: { replicas: 2, maxBatch: 1 } },
    })
    const pending = Promise.allSettled([engine.infer(some), engine.infer(some), engine.infer(some)])
    await engine.close({ timeoutMs: 0 })
    for (const result of await pending) {
      if (result.status === 'rejected')
        expect(result.reason).toMatchObject({ code: 'MILLRACE_CLOSED' })
    }
  })

  it('takes the place of a provider that is missing, where it is listed after it', async () => {
    await using engine = await Engine.start(digitsOn(['cuda', 'webgpu', 'cpu']))
    expect(engine.configuration.fast.tier).toBe('webgpu')
  }, 60_000)
})

describe('a provider that is missing', () => {
  const before = { ...process.env }
  beforeEach(() => {
    process.env['MILLRACE_CUDA_DRIVER'] = '/nowhere/libcuda.so.1'
  })
  afterEach(() => {
    for (const name of ['MILLRACE_CUDA_DRIVER', 'MILLRACE_NVML']) {
      if (before[name] === undefined) delete process.env[name]
      else process.env[name] = before[name]
    }
  })

  it('is an error that says why and what to do', async () => {
    const error = await rejectionOf(Engine.start(digitsOn(['cuda'])))
    expect(error.code).toBe('MILLRACE_DEVICE_UNAVAILABLE')
    expect(error.message).toMatch(
      /^configuration\.fast\.tier: "cuda" cannot be used here: CUDA needs the NVIDIA driver: .*\/nowhere.*; install the NVIDIA driver .*providers: \['cuda', 'cpu'\]/,
    )
  })

  it.each(['cuda', 'cuda-3', 'tensorrt'])('is one of a tier alike: %s', async (tier) => {
    const pipeline = definePipeline({
      stages: { fast: onnx(digitsModel('fast'), image) },
      outputs: { label: 'fast.label' },
    })
    const starting = Engine.start(pipeline, { configuration: { fast: { tier } } })
    expect((await rejectionOf(starting)).code).toBe('MILLRACE_DEVICE_UNAVAILABLE')
    await using engine = await Engine.start(pipeline)
    const error = await rejectionOf(engine.apply({ fast: { tier } }))
    expect(error.code).toBe('MILLRACE_DEVICE_UNAVAILABLE')
    expect(engine.configuration.fast.tier).toBe('cpu-1')
    expect((await engine.infer(some)).label.data).toHaveLength(24)
  })

  it('gives way to the CPU, where that is listed after it', async () => {
    await using engine = await Engine.start(digitsOn(['tensorrt', 'cuda', 'cpu']))
    expect(engine.configuration).toMatchObject({
      fast: { tier: 'cpu-1' },
      accurate: { tier: 'cpu-1' },
    })
    expect((await engine.infer(some)).fast.data).toHaveLength(24)
  })

  it('is told by devices(), with a reason', async () => {
    const { providers, devices: found } = await devices()
    expect(found[0]).toMatchObject({ kind: 'cpu', name: expect.any(String) })
    expect(found.filter(({ kind }) => kind === 'cuda')).toEqual([])
    expect(providers.cpu).toEqual({ usable: true })
    expect(providers.cuda).toMatchObject({ usable: false, reason: 'driver-missing' })
    expect(providers.tensorrt).toMatchObject({ usable: false, reason: 'driver-missing' })
  })

  const installed = existsSync(
    join(dirname(findOnnxRuntime()), 'libonnxruntime_providers_shared.so'),
  )
  it.skipIf(installed)('is what the core says, too, where it is asked all the same', async () => {
    const library = { libraryPath: findOnnxRuntime(), libraryVersion: onnxRuntimeVersion }
    const provider = { kind: 'cuda', device: 0, options: {} } as const
    const probing = loadAddon().probeProvider({ ...library, provider })
    await expect(probing).rejects.toThrow(/cannot use the provider 'cuda'/)
  })
})
