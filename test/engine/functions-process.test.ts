// What becomes of a process, or a worker, whose engine runs functions: each case runs a script to its end.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { replacementDelayMs } from '../../src/engine/worker-crew.ts'
import { workerFlags } from '../../src/engine/worker-flags.ts'

const done = { code: 0, stdout: 'done\n', stderr: '' }

describe('a process with functions', () => {
  it('ends by itself with an idle engine that nobody closed', async () => {
    expect(await run('idle')).toEqual(done)
  })

  it('exits at once with calls under way', async () => {
    expect(await run('exit')).toEqual({ code: 7, stdout: '', stderr: '' })
  })

  it('is rid of the workers of an engine that was collected', async () => {
    expect(await run('forgotten', ['--expose-gc'])).toEqual(done)
  })

  it('may have its engines in workers, and end these at any time', async () => {
    expect(await run('workers')).toEqual(done)
  })

  it('may be run with flags that workers do not take', async () => {
    const flags = ['--expose-gc', '--max-old-space-size=512', '--no-warnings']
    expect(await run('idle', flags)).toEqual(done)
  })
})

describe('the flags of a worker', () => {
  it.each([
    [['--input-type=module', '--expose-gc', '--test'], []],
    [
      ['--import', 'tsx', '--import=./a.js', '-r', './b.cjs'],
      ['--import', 'tsx', '--import=./a.js', '-r', './b.cjs'],
    ],
    [
      ['--inspect', '--conditions=dev', '--enable-source-maps'],
      ['--conditions=dev', '--enable-source-maps'],
    ],
    [['--import'], ['--import']],
  ])('are those of the process that concern modules: %j', (given, wanted) => {
    expect(workerFlags(given)).toEqual(wanted)
  })
})

describe('a worker that ended', () => {
  it('is replaced at once where it had served, later and later where it had not', () => {
    const delaysMs = [0, 1, 2, 3, 4, 20].map(replacementDelayMs)
    expect(delaysMs).toEqual([0, 50, 100, 200, 400, 5000])
  })
})

function run(mode: string, flags: readonly string[] = []) {
  const script = fileURLToPath(new URL('fixtures/functions-process.mjs', import.meta.url))
  const options = { timeout: 25_000, killSignal: 'SIGKILL' } as const
  return new Promise((resolve) => {
    execFile(process.execPath, [...flags, script, mode], options, (error, stdout, stderr) => {
      resolve({ code: error?.signal ?? error?.code ?? 0, stdout, stderr })
    })
  })
}
