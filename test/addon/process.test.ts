// What becomes of a process, or a worker, in which engines live: each case runs a script of fixtures/ to its end.
import { execFile, execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

interface End {
  readonly code: number | string
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
  readonly tookMs: number
}

describe('a process', () => {
  it('ends by itself with an idle engine that nobody closed', async () => {
    expect(await run('idle')).toMatchObject({ code: 0, signal: null, stdout: 'idle\n' })
  })

  it.each([1, 2, 3])(
    'exits at once with requests pending, runs and loads under way (%d)',
    async () => {
      const end = await run('exit-busy')
      expect(end).toMatchObject({ code: 7, signal: null, stderr: '' })
      expect(end.tookMs).toBeLessThan(5000)
    },
  )

  it('exits at once while a worker is in the middle of a run', async () => {
    const end = await run('exit-with-worker')
    expect(end).toMatchObject({ code: 7, signal: null, stderr: '' })
    expect(end.tookMs).toBeLessThan(5000)
  })

  it('dies of an uncaught error, not of us, with requests pending', async () => {
    const end = await run('uncaught')
    expect(end).toMatchObject({ code: 1, signal: null })
    expect(end.stderr).toContain('nobody catches this')
    expect(end.tookMs).toBeLessThan(5000)
  })

  it('lives until a pending request is answered, even where the engine was forgotten', async () => {
    const end = await run('pending-keeps-alive', { flags: ['--expose-gc'] })
    expect(end).toMatchObject({ code: 0, signal: null, stdout: 'answered 300000\n' })
  })

  it('may send requests from beforeExit', async () => {
    expect(await run('before-exit')).toMatchObject({ code: 0, stdout: 'answered twice\n' })
  })

  it.runIf(process.platform === 'linux')(
    'is rid of the threads of an engine that was collected',
    async () => {
      const end = await run('collected', { flags: ['--expose-gc'] })
      expect(end).toMatchObject({ code: 0, signal: null, stderr: '', stdout: 'collected\n' })
    },
  )
})

// Thirty of them load the library one after the other, which takes a second each on a busy machine.
const workersTimeoutMs = 120_000

describe('a worker', () => {
  it.each([[], ['main']])(
    'may be terminated whatever its engine is doing, 30 times %s',
    async (...args) => {
      const end = await run('workers', { args, timeoutMs: workersTimeoutMs - 5000 })
      expect(end).toMatchObject({ code: 0, signal: null, stderr: '', stdout: '30 workers ended\n' })
    },
    workersTimeoutMs,
  )
})

describe.runIf(process.platform === 'linux')('ONNX Runtime', () => {
  it.each(['before', 'after'])(
    'is one copy shared with onnxruntime-node, imported %s us',
    async (order) => {
      const end = await run('beside-onnxruntime', { args: [order] })
      expect(end).toMatchObject({ code: 0, signal: null, stderr: '', stdout: 'side by side\n' })
    },
  )

  describe.runIf(hasCompiler())('of another version, loaded before us', () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-foreign-'))
    const library = join(folder, 'libonnxruntime.so.1')
    beforeAll(() => {
      const source = fileURLToPath(new URL('foreign_onnxruntime.c', import.meta.url))
      const flags = ['-shared', '-fPIC', '-Wl,-soname,libonnxruntime.so.1']
      execFileSync('cc', [...flags, '-o', library, source])
    })
    afterAll(() => rmSync(folder, { recursive: true }))

    it('does not disturb us: ours is loaded by its path', async () => {
      const end = await run('foreign-onnxruntime', { args: [library] })
      expect(end).toMatchObject({ code: 0, signal: null, stdout: 'works\n' })
    })
  })
})

function run(
  name: string,
  {
    flags = [],
    args = [],
    timeoutMs: timeout = 25_000,
  }: { flags?: string[]; args?: string[]; timeoutMs?: number } = {},
): Promise<End> {
  const script = fileURLToPath(new URL(`fixtures/${name}.mjs`, import.meta.url))
  const startMs = performance.now()
  return new Promise((resolve) => {
    const options = { timeout, killSignal: 'SIGKILL' } as const
    execFile(process.execPath, [...flags, script, ...args], options, (error, stdout, stderr) => {
      const { code = 0, signal = null } = error ?? {}
      resolve({
        code: code ?? 0,
        signal: signal ?? null,
        stdout,
        stderr,
        tookMs: performance.now() - startMs,
      })
    })
  })
}

function hasCompiler(): boolean {
  try {
    execFileSync('cc', ['--version'])
    return true
  } catch {
    return false
  }
}
