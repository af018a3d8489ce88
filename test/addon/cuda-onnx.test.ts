// onnx() stages on CUDA beside cuda() stages: the test doubles of NVIDIA's libraries, and the one of ONNX Runtime that lets
// the real one run on the memory of the driver's.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { cuda, definePipeline, Engine, onnx } from '../../src/index.ts'
import { buildDouble, installDoubles, onFailingDevice, removeDoubles } from './cuda-doubles.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-cuda-onnx-'))
const runtime = vi.hoisted(() => ({ path: '' }))

// ONNX Runtime is loaded once in a process: this file has one of its own.
vi.mock('../../src/native/onnx-runtime.ts', async (original) => ({
  ...(await original<typeof import('../../src/native/onnx-runtime.ts')>()),
  findOnnxRuntime: () => runtime.path,
}))

beforeAll(async () => {
  const { findOnnxRuntime } = await vi.importActual<
    typeof import('../../src/native/onnx-runtime.ts')
  >('../../src/native/onnx-runtime.ts')
  runtime.path = buildDouble(folder, { source: 'ort_double' })
  // Looked for beside the library, and not loaded by the double.
  for (const name of ['shared', 'cuda'])
    writeFileSync(join(folder, `libonnxruntime_providers_${name}.so`), '')
  process.env['ORT_DOUBLE_LIBRARY'] = findOnnxRuntime()
  installDoubles(folder)
}, 120_000)

afterAll(() => {
  removeDoubles()
  delete process.env['ORT_DOUBLE_LIBRARY']
  rmSync(folder, { recursive: true, force: true })
})

const width = 4
const source = '__global__ void twice_rows(const float* x, float* y, unsigned rows) {}'
const identity = fileURLToPath(new URL('../models/identity-float32.onnx', import.meta.url))
const kernel = {
  kernel: 'twice_rows',
  outputs: { y: { type: 'float32', dims: [width] } },
  block: width,
} as const

function pipelineOf(provider: 'cuda' | 'cpu') {
  return definePipeline({
    stages: {
      before: cuda(source, {
        ...kernel,
        inputs: { x: { from: 'request.x', type: 'float32', dims: [width] } },
      }),
      model: onnx(identity, { inputs: { x: 'before.y' }, providers: [provider] }),
      after: cuda(source, { ...kernel, inputs: { x: 'model.y' } }),
    },
    outputs: { y: 'after.y' },
  })
}

describe.runIf(process.platform === 'linux')('a model on CUDA between two kernels', () => {
  const handedOn = (engine: Engine<ReturnType<typeof pipelineOf>>) => {
    const { before, model, after } = engine.stats().stages
    return [before, model, after].map((stage) => stage.handedOnRows)
  }
  const x = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8)
  const y = { dims: [2, width], data: x.map((one) => 4 * one) }

  it('takes its rows on the device and leaves them there', async () => {
    await using engine = await Engine.start(pipelineOf('cuda'))
    expect((await engine.infer({ x })).y).toMatchObject(y)
    expect(handedOn(engine)).toEqual([2, 2, 0])
  })

  it('still does so after it was swapped', async () => {
    await using engine = await Engine.start(pipelineOf('cuda'))
    await engine.swap('model', identity)
    expect((await engine.infer({ x })).y).toMatchObject(y)
    expect(handedOn(engine)).toEqual([2, 2, 0])
  })

  it('on the CPU takes and gives rows of the host', async () => {
    await using engine = await Engine.start(pipelineOf('cpu'))
    expect((await engine.infer({ x })).y).toMatchObject(y)
    expect(handedOn(engine)).toEqual([0, 0, 0])
  })

  it('gives them by way of the host where there is no memory for blocks', async () => {
    const configuration = {
      before: { maxBatch: 1 },
      model: { maxBatch: 1 },
      after: { maxBatch: 1 },
    } as const
    // Two kernels of two slots, each with 256 bytes in and out; a warm-up would take blocks before the second is made.
    const terms = { gpuMemoryBytes: { cuda: 2 * 2 * 2 * 256 }, warmUp: false }
    const engine = await Engine.start(pipelineOf('cuda'), { configuration, ...terms })
    expect((await engine.infer({ x })).y).toMatchObject(y)
    expect(handedOn(engine)).toEqual([0, 0, 0])
    await engine.close()
  })
})

describe.runIf(process.platform === 'linux')('a model whose device is lost', () => {
  const x = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8)
  const fallback = ({ x }: { x: { data: ArrayLike<number> } }) => ({
    y: Float32Array.from(x.data, (one) => one * 20),
  })
  /** Rows come one by one and are copied together, which fails. */
  const start = (providers: ['cuda', 'cpu'] | ['cuda']) => {
    const pipeline = definePipeline({
      stages: {
        before: cuda(source, {
          ...kernel,
          inputs: { x: { from: 'request.x', type: 'float32', dims: [width] } },
          fallback,
        }),
        model: onnx(identity, { inputs: { x: 'before.y' }, providers }),
      },
      outputs: { y: 'model.y' },
    })
    const configuration = { before: { maxBatch: 1 }, model: { maxBatch: 2, maxDelayMs: 10_000 } }
    return onFailingDevice(folder, {
      fault: 'cuMemcpyDtoDAsync_v2 719 0',
      start: () => Engine.start(pipeline, { configuration, warmUp: false }),
    })
  }
  const lost = expect.stringMatching(/CUDA device 0 is lost to this process/)

  it('goes on where its stage lists it next, and says so', async () => {
    await using engine = await start(['cuda', 'cpu'])
    const told = new Promise((resolve) => engine.on('fallback', resolve))
    const failed = { code: 'MILLRACE_STAGE_FAILED', stage: 'model', message: lost }
    await expect(engine.infer({ x })).rejects.toMatchObject(failed)
    const event = { stage: 'model', before: 'cuda', after: 'cpu-1', reason: lost }
    expect(await told).toEqual(event)
    expect(engine.configuration.model.tier).toBe('cpu-1')
    expect(engine.stats().stages.model.fallback).toEqual(lost)
    await expect(engine.infer({ x })).rejects.toMatchObject({ stage: 'before' }) // it finds out itself
    expect((await engine.infer({ x })).y.data).toEqual(x.map((one) => 20 * one))
  })

  it('fails its requests where nothing else is listed', async () => {
    await using engine = await start(['cuda'])
    const told: unknown[] = []
    engine.on('fallback', (event) => told.push(event))
    await expect(engine.infer({ x })).rejects.toMatchObject({ stage: 'model', message: lost })
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(told).toEqual([])
    expect(engine.configuration.model.tier).toBe('cuda')
    expect(engine.stats().stages.model.fallback).toBeUndefined()
  })
})
