// How processes and workers with models on WebGPU end: each case runs a script to its end, on the built package.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { skipWebGpu } from './webgpu.ts'

const script = fileURLToPath(new URL('fixtures/webgpu-process.mjs', import.meta.url))

describe.skipIf(skipWebGpu)('a process with models on WebGPU', () => {
  it.each([
    ['idle', 'by itself with an engine that nobody closed', 0],
    ['exit', 'at once, with runs under way and waiting', 7],
    ['worker', 'with a worker that was terminated in the middle of runs', 0],
  ])('ends: %s, %s', async (how, _what, wanted) => {
    const code = await new Promise((resolve) => {
      execFile(process.execPath, [script, how], (error) => resolve(error?.code ?? 0))
    })
    expect(code).toBe(wanted)
  })
})
