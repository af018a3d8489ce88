// devices() with the test double of NVIDIA's driver in the place of the real one: a machine with GPUs, as far as it is told.
import { execFile, execFileSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { devices } from '../../src/index.ts'
import { loadAddon } from '../../src/native/load.ts'

const source = fileURLToPath(new URL('../native/cuda_double.cc', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'millrace-devices-'))
const double = join(folder, 'libcuda-double.so')
let copies = 0

beforeAll(() => {
  execFileSync('g++', ['-std=c++20', '-O0', '-fPIC', '-shared', '-o', double, source])
}, 120_000)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** With a library that was not loaded before, and so is started anew. */
async function devicesWith(environment: Readonly<Record<string, string>>) {
  const copy = join(folder, `libcuda-${copies++}.so`)
  copyFileSync(double, copy)
  const all = { MILLRACE_CUDA_DRIVER: copy, MILLRACE_NVML: copy, ...environment }
  Object.assign(process.env, all)
  try {
    return await devices()
  } finally {
    for (const name of Object.keys(all)) delete process.env[name]
  }
}

describe.runIf(process.platform === 'linux')('the devices of a machine', () => {
  it('are those that the driver has, with what its management library says of them', async () => {
    const { devices: found } = await devicesWith({})
    expect(found.filter(({ kind }) => kind === 'cuda')).toEqual([
      {
        kind: 'cuda',
        index: 0,
        name: 'Double 0',
        memoryBytes: 2 ** 30,
        freeMemoryBytes: 2 ** 29,
        computeCapability: '9.0',
        cudaVersion: '12.4',
        driverVersion: '550.54.15',
        utilizationPercent: 37,
        temperatureC: 41,
      },
    ])
  })

  it('are told without that library, too', async () => {
    const { devices: found } = await devicesWith({ MILLRACE_NVML: '/nowhere/libnvidia-ml.so.1' })
    const cuda = found.find(({ kind }) => kind === 'cuda')
    expect(cuda).toMatchObject({ name: 'Double 0', driverVersion: undefined })
    expect(cuda).toMatchObject({ freeMemoryBytes: undefined, temperatureC: undefined })
  })

  it('run no models where the library of ONNX Runtime is missing', async () => {
    const { providers } = await devicesWith({})
    expect(providers.cuda).toMatchObject({ usable: false, reason: 'provider-library-missing' })
    expect(providers.cuda).toHaveProperty('message', expect.stringContaining('providers_cuda.so'))
    expect(providers.tensorrt).toHaveProperty(
      'message',
      expect.stringContaining('providers_tensorrt.so'),
    )
  })

  it('may be none', async () => {
    const { devices: found, providers } = await devicesWith({ CUDA_DOUBLE_INIT: '100' })
    expect(found.filter(({ kind }) => kind === 'cuda')).toEqual([])
    expect(providers.cuda).toMatchObject({
      usable: false,
      reason: 'no-device',
      message: 'expected CUDA device 0, the driver has none',
    })
  })

  it('are of no use with a driver that is too old', async () => {
    const { providers } = await devicesWith({ CUDA_DOUBLE_VERSION: '11080' })
    expect(providers.cuda).toMatchObject({
      usable: false,
      reason: 'driver-too-old',
      message: 'expected a driver for CUDA 12 or later, found one for 11.8',
    })
  })

  it('are not told where the driver does not start, which is said', async () => {
    const { providers } = await devicesWith({ CUDA_DOUBLE_INIT: '802' })
    expect(providers.cuda).toMatchObject({ usable: false, reason: 'driver-missing' })
    expect(providers.cuda).toHaveProperty(
      'message',
      expect.stringContaining('cuInit: CUDA_ERROR_SYSTEM_NOT_READY'),
    )
  })
})

describe.runIf(process.platform === 'linux')('a process that uses the CPU alone', () => {
  it('loads nothing of any accelerator', async () => {
    const script = `
      import { readFileSync } from 'node:fs'
      import { definePipeline, Engine, onnx } from ${JSON.stringify(fileOf('../../src/index.ts'))}
      const stages = {
        model: onnx(${JSON.stringify(fileOf('../models/identity-float32.onnx'))}, {
          inputs: { x: 'request.x' },
          providers: ['cpu'],
        }),
      }
      const pipeline = definePipeline({ stages, outputs: { y: 'model.y' } })
      const engine = await Engine.start(pipeline)
      await engine.infer({ x: new Float32Array(4) })
      console.log(/libcuda|libnvidia|libvulkan|providers_/.test(readFileSync('/proc/self/maps', 'utf8')))
      await engine.close()`
    const flags = ['--import', 'tsx', '--input-type=module', '-e', script]
    const cwd = fileOf('../../')
    const stdout = await new Promise<string>((resolve, reject) => {
      execFile(process.execPath, flags, { cwd }, (error, out) =>
        error ? reject(error) : resolve(out),
      )
    })
    expect(stdout).toBe('false\n')
  })
})

function fileOf(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url))
}

describe('time slices', () => {
  it('of threads that are too many for the cores are seen', async () => {
    const sliceMs = await loadAddon().measureTimeSlice(2 * availableParallelism() + 1, 200)
    expect(sliceMs).toBeGreaterThan(0.1)
    expect(sliceMs).toBeLessThan(200)
    expect(await loadAddon().measureTimeSlice(0, 1)).toBe(0)
  })
})
