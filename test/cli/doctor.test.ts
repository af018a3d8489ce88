import { afterAll, describe, expect, it } from 'vitest'
import { documentOf, millrace, TemporaryFolder } from './millrace.ts'

const folder = new TemporaryFolder()
afterAll(() => folder[Symbol.dispose]())

/** The report, and nothing on stderr. */
const lookAt = async (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
  const { exitCode, stdout, stderr } = await millrace(['doctor', ...args], { env })
  expect(stderr).toBe('')
  return { exitCode, stdout }
}

describe('millrace doctor', () => {
  it('says what was loaded and why, and runs a model', async () => {
    const { exitCode, stdout } = await lookAt([])
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/^Addon +\S+millrace\.node \(the local build\)$/m)
    expect(stdout).toMatch(/^ONNX Runtime +1\.30\.0, \S+onnxruntime/m)
    expect(stdout).toMatch(/^Providers +cpu: yes, built in$/m)
    expect(stdout).toMatch(/^ +cuda: (no, CUDA needs the NVIDIA driver: .+|yes, opened)$/m)
    expect(stdout).toMatch(/^Devices +\S/m)
    expect(stdout).toMatch(/^First answer +after \d+\.\d ms/m)
    expect(stdout).not.toContain('Broken')
  })

  it('prints the same as one document with --json', async () => {
    const report = documentOf(await millrace(['doctor', '--json'])) as Record<string, unknown>
    expect(report).toMatchObject({
      node: { version: process.version, fits: true },
      addon: { loaded: true, attempts: [{ place: 'the local build', problem: null }] },
      onnxRuntime: { version: '1.30.0', problem: null },
      inference: { problem: null },
      findings: expect.any(Array),
    })
  })

  it.each([
    ['is missing', 'missing.node', undefined, /not there/],
    ['is no library', 'text.node', 'not an addon', /file too short|invalid ELF|not a valid/i],
  ])('reports an addon that %s, and exits with 1', async (_what, name, content, expected) => {
    const path = content === undefined ? `${folder.path}/${name}` : folder.write(name, content)
    const { exitCode, stdout } = await lookAt([], { MILLRACE_ADDON: path })
    expect(exitCode).toBe(1)
    expect(stdout).toMatch(
      new RegExp(`^Addon +MILLRACE_ADDON: ${path}: .*${expected.source}`, 'mi'),
    )
    expect(stdout).toContain('First answer  none')
    expect(stdout).toMatch(
      /\nBroken\n {2}the native addon cannot be loaded\n {4}set MILLRACE_ADDON/,
    )
  })

  it('reports a broken addon as JSON, too', async () => {
    const path = folder.write('broken.node', 'not an addon')
    const { exitCode, stdout } = await lookAt(['--json'], { MILLRACE_ADDON: path })
    expect(exitCode).toBe(1)
    const report = JSON.parse(stdout) as { readonly findings: readonly unknown[] }
    expect(report).toMatchObject({
      addon: { loaded: false, attempts: [{ place: 'MILLRACE_ADDON', target: path }] },
      onnxRuntime: { problem: null },
      inference: { answeredMs: null },
    })
    expect(report.findings[0]).toMatchObject({
      level: 'broken',
      remedy: expect.stringContaining('MILLRACE_ADDON'),
    })
  })
})
