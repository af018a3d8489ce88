// What becomes of a process in which engines are shown: each case runs a script of fixtures/ to its end.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const run = promisify(execFile)
const script = (name: string) => fileURLToPath(new URL(`fixtures/${name}.mjs`, import.meta.url))

describe('a registry', () => {
  it('does not keep an engine that is forgotten from being collected, nor the process from ending', async () => {
    const end = await run(process.execPath, ['--expose-gc', script('forgotten')])
    expect(end).toEqual({ stdout: 'collected\n', stderr: '' })
  }, 60_000)
})
