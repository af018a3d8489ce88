// cuda() stages on the test doubles of NVIDIA's driver and compiler, whose only kernel for stages doubles floats.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cuda, definePipeline, Engine, type EngineEvents, inline } from '../../src/index.ts'
import { buildDouble, installDoubles, onFailingDevice, removeDoubles } from './cuda-doubles.ts'

const folder = mkdtempSync(join(tmpdir(), 'millrace-cuda-'))

beforeAll(() => installDoubles(folder), 120_000)

afterAll(() => {
  removeDoubles()
  rmSync(folder, { recursive: true, force: true })
})

function startFailing(fault: string, more: object): ReturnType<typeof startDouble> {
  return onFailingDevice(folder, { fault, start: () => startDouble(more) })
}

function startDouble(more: object) {
  return Engine.start(pipelineOf(source, more), { warmUp: false })
}

const width = 4
const source = '__global__ void twice_rows(const float* x, float* y, unsigned rows) {}'
const ptx = '.version 8.0\n.entry twice_rows'
const options = {
  kernel: 'twice_rows',
  inputs: { x: { from: 'request.x', type: 'float32', dims: [width] } },
  outputs: { y: { type: 'float32', dims: [width] } },
  block: width,
} as const

function pipelineOf(text: string, more: object = {}) {
  return definePipeline({
    stages: { double: cuda(text, { ...options, ...more }) },
    outputs: { y: 'double.y' },
  })
}

/** Without that file, or with another in its place, the rest as it is. */
async function without<Result>(
  name: string,
  run: () => Promise<Result>,
  file = '/nowhere/missing.so',
): Promise<Result> {
  const before = process.env[name]
  process.env[name] = file
  try {
    return await run()
  } finally {
    process.env[name] = before
  }
}

describe.runIf(process.platform === 'linux')('a stage of a CUDA kernel', () => {
  it.each([
    ['C++', source],
    ['PTX', ptx],
  ])('answers requests with what the kernel made of their rows: %s', async (_language, text) => {
    await using engine = await Engine.start(pipelineOf(text))
    const { y } = await engine.infer({ x: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8) })
    expect(y).toMatchObject({ dims: [2, width], data: Float32Array.of(2, 4, 6, 8, 10, 12, 14, 16) })
    expect(engine.configuration.double.tier).toBe('cuda')
  })

  it('takes what stages before it give, and gives to those after it', async () => {
    const pipeline = definePipeline({
      stages: {
        half: inline(({ x }) => ({ y: x.data.map((one) => one / 2) }), {
          inputs: { x: { from: 'request.x', type: 'float32', dims: [width] } },
          outputs: { y: { type: 'float32', dims: [width] } },
        }),
        double: cuda(source, { ...options, inputs: { x: 'half.y' } }),
        again: cuda(source, { ...options, inputs: { x: 'double.y' } }),
      },
      outputs: { y: 'again.y' },
    })
    await using engine = await Engine.start(pipeline)
    const { y } = await engine.infer({ x: Float32Array.of(1, 2, 3, 4) })
    expect(y.data).toEqual(Float32Array.of(2, 4, 6, 8))
    const { half, double, again } = engine.stats().stages
    expect([half, double, again].map((stage) => stage.handedOnRows)).toEqual([0, 1, 0])
  })

  it('does not start where the kernel does not compile, with the log of the compiler', async () => {
    await expect(Engine.start(pipelineOf('#error not today'))).rejects.toMatchObject({
      code: 'MILLRACE_MODEL_LOAD',
      stage: 'double',
      message: expect.stringContaining('double.cu(1): error: not today'),
    })
  })

  it('does not start without a compiler, and says what was tried', async () => {
    const start = () => without('MILLRACE_NVRTC', () => Engine.start(pipelineOf(source)))
    await expect(start()).rejects.toMatchObject({
      code: 'MILLRACE_DEVICE_UNAVAILABLE',
      message: expect.stringMatching(
        /NVRTC\) was not found: \/nowhere\/missing\.so.*MILLRACE_NVRTC/,
      ),
    })
  })

  it('needs no compiler for PTX', async () => {
    await using engine = await without('MILLRACE_NVRTC', () => Engine.start(pipelineOf(ptx)))
    expect(engine.state).toBe('serving')
  })

  it('does not start without a driver, and says what was tried', async () => {
    const start = () => without('MILLRACE_CUDA_DRIVER', () => Engine.start(pipelineOf(ptx)))
    await expect(start()).rejects.toMatchObject({
      code: 'MILLRACE_DEVICE_UNAVAILABLE',
      message: expect.stringMatching(/needs the NVIDIA driver: .*\/nowhere\/missing\.so/),
    })
  })

  it('fails every request once its device is lost, and says so', async () => {
    await using engine = await startFailing('kernel 700 0', {})
    for (let request = 0; request < 2; request++) {
      await expect(engine.infer({ x: new Float32Array(width) })).rejects.toMatchObject({
        code: 'MILLRACE_STAGE_FAILED',
        message: expect.stringContaining('CUDA device 0 is lost to this process'),
      })
    }
  })

  it('takes smaller batches where the memory it may take is little', async () => {
    const configuration = { double: { maxBatch: 1024 } }
    await using engine = await Engine.start(pipelineOf(ptx), {
      configuration,
      gpuMemoryBytes: { cuda: 4096 },
    })
    const { y } = await engine.infer({ x: new Float32Array(200 * width).fill(3) })
    expect(y.data.every((value) => value === 6)).toBe(true)
    const { shrunkBatches, batchRows } = engine.stats().stages.double
    expect(shrunkBatches).toBe(1)
    expect(batchRows.max).toBeLessThanOrEqual(64)
  })

  it('does not start where there is no memory for one row', async () => {
    await expect(Engine.start(pipelineOf(ptx), { gpuMemoryBytes: { cuda: 100 } })).rejects.toThrow(
      /do not fit the budget of 100 \(gpuMemoryBytes\)/,
    )
  })

  it.each([[{ gpu: 1 }], [{ cuda: 0 }], [{ webgpu: 1 }], [4096]])(
    'refuses a budget of %j',
    async (gpuMemoryBytes) => {
      const start = Engine.start(pipelineOf(ptx), { gpuMemoryBytes: gpuMemoryBytes as never })
      await expect(start).rejects.toMatchObject({ code: 'MILLRACE_INVALID_OPTION' })
    },
  )

  it('is refused on a device that is not there', async () => {
    const configuration = { double: { tier: 'cuda-7' } }
    await expect(Engine.start(pipelineOf(ptx), { configuration })).rejects.toMatchObject({
      code: 'MILLRACE_DEVICE_UNAVAILABLE',
      message: expect.stringContaining('expected CUDA device 7, the driver has 1'),
    })
  })
})

describe.runIf(process.platform === 'linux')('graphs of a CUDA kernel', () => {
  it('answer as it does without them, and count', async () => {
    const configuration = { double: { maxBatch: 4 } }
    await using engine = await Engine.start(pipelineOf(ptx, { graphs: true }), { configuration })
    for (const rows of [1, 2, 3, 4]) {
      const x = Float32Array.from({ length: rows * width }, (_, at) => at)
      expect((await engine.infer({ x })).y.data).toEqual(x.map((one) => one * 2))
    }
    const { batches, graphBatches } = engine.stats().stages.double
    expect({ batches, graphBatches }).toEqual({ batches: 4, graphBatches: 3 })
  })

  it('are none where they are not asked for', async () => {
    await using engine = await Engine.start(pipelineOf(ptx))
    await engine.infer({ x: new Float32Array(width) })
    expect(engine.stats().stages.double.graphBatches).toBe(0)
  })

  it('need a driver that has them', async () => {
    const old = buildDouble(folder, { source: 'cuda_double', without: 'CUDA_DOUBLE_NO_GRAPHS' })
    const start = (graphs: boolean) =>
      without('MILLRACE_CUDA_DRIVER', () => Engine.start(pipelineOf(ptx, { graphs })), old)
    await expect(start(true)).rejects.toMatchObject({
      code: 'MILLRACE_MODEL_LOAD',
      stage: 'double',
      message: expect.stringMatching(
        /does not export cuStreamBeginCapture_v2, which CUDA graphs need \(graphs: true\): install/,
      ),
    })
    await using engine = await start(false)
    expect(engine.state).toBe('serving')
  }, 60_000)
})

describe.runIf(process.platform === 'linux')('the fallback of a CUDA kernel', () => {
  const fallback = ({ x }: { x: { data: ArrayLike<number> } }) => ({
    y: Float32Array.from(x.data, (one) => one * 20),
  })

  it('serves where there is no driver', async () => {
    await using engine = await without('MILLRACE_CUDA_DRIVER', () =>
      Engine.start(pipelineOf(source, { fallback })),
    )
    expect(engine.configuration.double.tier).toBe('cpu-1')
    const { y } = await engine.infer({ x: Float32Array.of(1, 2, 3, 4) })
    expect(y.data).toEqual(Float32Array.of(20, 40, 60, 80))
  })

  it('is idle where the kernel runs', async () => {
    await using engine = await Engine.start(pipelineOf(source, { fallback }))
    const { y } = await engine.infer({ x: Float32Array.of(1, 2, 3, 4) })
    expect(y.data).toEqual(Float32Array.of(2, 4, 6, 8))
  })

  it('takes over where the device is lost, after the request that was there', async () => {
    await using engine = await startFailing('kernel 719 1', { fallback })
    const x = Float32Array.of(1, 2, 3, 4)
    expect((await engine.infer({ x })).y.data[0]).toBe(2)
    await expect(engine.infer({ x })).rejects.toMatchObject({
      code: 'MILLRACE_STAGE_FAILED',
      stage: 'double',
      message: expect.stringMatching(
        /CUDA device 0 is lost .* what comes next runs on the fallback/,
      ),
    })
    expect((await engine.infer({ x })).y.data[0]).toBe(20)
  })

  type Told = EngineEvents['fallback']
  const lostReason = expect.stringMatching(/CUDA device 0 is lost to this process/)

  it('is told of, once, before the request that found out is answered, and shown from then on', async () => {
    await using engine = await startFailing('kernel 719 1', { fallback })
    const told: (Told | string)[] = []
    engine.on('fallback', (event) => told.push(event))
    const x = Float32Array.of(1, 2, 3, 4)
    await engine.infer({ x })
    expect(engine.stats().stages.double.fallback).toBeUndefined()
    await engine.infer({ x }).catch(() => told.push('failed'))
    await engine.infer({ x })
    const event = { stage: 'double', before: 'cuda', after: 'cpu-1', reason: lostReason }
    expect(told).toEqual([event, 'failed'])
    expect(engine.stats().stages.double.fallback).toEqual(lostReason)
  })

  it('is told of where the device is lost as its replica is made', async () => {
    await using engine = await startFailing('cuStreamCreate 719 0', { fallback })
    const told = new Promise<Told>((resolve) => engine.on('fallback', resolve))
    expect(await told).toMatchObject({ stage: 'double', before: 'cuda', after: 'cpu-1' })
    expect(engine.stats().stages.double.fallback).toContain('cuStreamCreate')
  })

  it('is told of where it is chosen at the start, to those who listen at once', async () => {
    await using engine = await without('MILLRACE_CUDA_DRIVER', () =>
      Engine.start(pipelineOf(source, { fallback })),
    )
    const told = new Promise<Told>((resolve) => engine.on('fallback', resolve))
    const published: unknown[] = []
    const publish = (message: unknown) => void published.push(message)
    subscribe('millrace:fallback', publish)
    const reason = expect.stringMatching(/"cuda" cannot be used here: .*\/nowhere\/missing\.so/)
    const event = { stage: 'double', before: 'cuda', after: 'cpu-1', reason }
    expect(await told).toEqual(event)
    expect(published).toMatchObject([{ engine, event }])
    unsubscribe('millrace:fallback', publish)
    expect(engine.stats().stages.double.fallback).toEqual(reason)
    await engine.apply({ double: { maxBatch: 2 } })
    expect(engine.stats().stages.double.fallback).toEqual(reason)
    await engine.apply({ double: { tier: 'cpu-1' } }) // now it is what was asked for
    expect(engine.stats().stages.double.fallback).toBeUndefined()
  })

  it('is told of where an applied configuration comes to it', async () => {
    await using engine = await Engine.start(pipelineOf(source, { fallback }))
    const told: Told[] = []
    engine.on('fallback', (event) => told.push(event))
    await engine.apply({ double: { tier: 'cuda-7' } })
    expect(told).toMatchObject([{ stage: 'double', before: 'cuda-7', after: 'cpu-1' }])
    expect(engine.stats().stages.double.fallback).toMatch(/"cuda-7" cannot be used here: /)
    await engine.apply({ double: { tier: 'cuda' } })
    expect(engine.stats().stages.double.fallback).toBeUndefined()
    expect(told).toHaveLength(1)
  })

  it('takes over, and gives back, by configuration', async () => {
    await using engine = await Engine.start(pipelineOf(source, { fallback }))
    const first = async () => (await engine.infer({ x: Float32Array.of(1, 2, 3, 4) })).y.data[0]
    await engine.apply({ double: { tier: 'cpu-1' } })
    expect(await first()).toBe(20)
    await engine.apply({ double: { tier: 'cuda' } })
    expect(await first()).toBe(2)
  })

  it('reads what the kernel before it left on the device, and leaves what the one behind it reads', async () => {
    const pipeline = definePipeline({
      stages: {
        first: cuda(source, { ...options, fallback }),
        second: cuda(source, {
          ...options,
          inputs: { x: { from: 'first.y', type: 'float32', dims: [width] } },
          fallback,
        }),
      },
      outputs: { y: 'second.y' },
    })
    await using engine = await Engine.start(pipeline)
    const answer = async () =>
      (await engine.infer({ x: new Float32Array(width).fill(3) })).y.data[0]
    expect(await answer()).toBe(12)
    await engine.apply({ second: { tier: 'cpu-1' } })
    expect(await answer()).toBe(120)
    await engine.apply({ first: { tier: 'cpu-1' }, second: { tier: 'cuda' } })
    expect(await answer()).toBe(120)
    await engine.apply({ first: { tier: 'cuda' } })
    expect(await answer()).toBe(12)
    expect(engine.stats().stages.first.handedOnRows).toBe(3)
  })
})
