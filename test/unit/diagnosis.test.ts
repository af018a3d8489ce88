import { describe, expect, it } from 'vitest'
import type { Diagnosis } from '../../src/cli/diagnosis.ts'
import { findingsOf, isBroken } from '../../src/cli/diagnosis-findings.ts'
import { formatDiagnosis } from '../../src/cli/diagnosis-report.ts'
import { processor } from '../../src/cli/processor.ts'

const healthy: Diagnosis = {
  millrace: { version: '0.1.0', folder: '/app/node_modules/millrace' },
  node: { version: 'v22.1.0', required: '>=20.19', fits: true },
  platform: { platform: 'linux', arch: 'x64', libc: 'glibc 2.36', system: '6.1.0' },
  addon: {
    loaded: true,
    attempts: [{ place: 'the platform package', target: '/app/millrace.node', problem: null }],
    remedy: null,
  },
  onnxRuntime: {
    version: '1.30.0',
    file: '/app/libonnxruntime.so.1',
    problem: null,
    providers: [{ name: 'cpu', available: true, reason: 'built in' }],
  },
  devices: [],
  inference: { answeredMs: 31.4, problem: null },
  processor: {
    model: 'A processor',
    logicalCores: 8,
    physicalCores: 8,
    features: ['avx2', 'fma'],
    governor: 'performance',
  },
  availableCores: 8,
  loadAverage: 0.5,
  container: { cores: undefined, memoryMb: undefined, throttled: undefined },
  memory: { totalMb: 16000, freeMb: 8000 },
  overcommit: 0,
}

const findings = (change: Partial<Diagnosis>) => findingsOf({ ...healthy, ...change })

describe('a diagnosis', () => {
  it('of a healthy installation has nothing to say', () => {
    expect(findings({})).toEqual([])
    expect(formatDiagnosis(healthy, [])).toMatchInlineSnapshot(`
      "millrace      0.1.0 in /app/node_modules/millrace
      Node          v22.1.0, linux x64, glibc 2.36, 6.1.0
      Addon         /app/millrace.node (the platform package)
      ONNX Runtime  1.30.0, /app/libonnxruntime.so.1
      Providers     cpu: yes, built in
      Devices       no accelerator that a driver knows
      First answer  after 31.4 ms, libraries loaded
      Processor     A processor
                    8 cores (8 physical), no limit of a container, load 0.5
                    avx2 fma
      Memory        16000 MB, 8000 MB free, no limit of a container"
    `)
  })

  it.each<[string, Partial<Diagnosis>, RegExp]>([
    ['an old Node', { node: { ...healthy.node, version: 'v18.0.0', fits: false } }, /v18.0.0/],
    [
      'no addon',
      { addon: { ...healthy.addon, loaded: false, remedy: 'build it' } },
      /the native addon cannot be loaded build it/,
    ],
    [
      'no ONNX Runtime',
      { onnxRuntime: { ...healthy.onnxRuntime, problem: 'it is missing; install it' } },
      /^it is missing install it$/,
    ],
    [
      'a model that does not run',
      { inference: { answeredMs: null, problem: 'a riddle' } },
      /a riddle/,
    ],
  ])('says that %s is broken', (_what, change, expected) => {
    const found = findings(change)
    expect(isBroken(found)).toBe(true)
    expect(found.map(({ problem, remedy }) => `${problem} ${remedy}`)).toEqual([
      expect.stringMatching(expected),
    ])
  })

  it('gives a missing library once as the reason, not what follows from it', () => {
    const inference = { answeredMs: null, problem: 'no addon' }
    expect(findings({ addon: { ...healthy.addon, loaded: false }, inference })).toHaveLength(1)
  })

  it.each<[string, Partial<Diagnosis>, RegExp]>([
    ['no AVX2', { processor: { ...healthy.processor, features: ['fma'] } }, /no AVX2/],
    [
      'a limit on cores',
      { container: { ...healthy.container, cores: 1.5 } },
      /may use 1.5 of 8 cores.* within 1,/,
    ],
    [
      'a container that was stopped',
      { container: { ...healthy.container, throttled: 0.25 } },
      /25 %/,
    ],
    ['a slow clock', { processor: { ...healthy.processor, governor: 'powersave' } }, /powersave/],
    ['others at work', { loadAverage: 20 }, /20 threads/],
    ['little memory', { container: { ...healthy.container, memoryMb: 256 } }, /256 MB/],
    [
      'two threads a core',
      { processor: { ...healthy.processor, physicalCores: 4 } },
      /beyond 4 gain little/,
    ],
    ['strict accounting of memory', { overcommit: 2 }, /overcommit/],
  ])('names %s, which breaks nothing', (_what, change, expected) => {
    const found = findings(change)
    expect(isBroken(found)).toBe(false)
    expect(found.map(({ problem, remedy }) => `${problem} ${remedy}`)).toEqual([
      expect.stringMatching(expected),
    ])
  })

  it('sorts findings under their headings', () => {
    const found = findings({
      loadAverage: 20,
      overcommit: 2,
      node: { ...healthy.node, fits: false },
    })
    const text = formatDiagnosis(healthy, found)
    const headings = ['\n\nBroken\n', '\n\nWould make it faster\n', '\n\nWorth knowing\n']
    const places = headings.map((heading) => text.indexOf(heading))
    expect(places).toEqual([...places].sort((a, b) => a - b))
    expect(places[0]).toBeGreaterThan(0)
  })
})

describe('the processor', () => {
  const known = { model: 'A processor', logicalCores: 4 }

  it('is read from cpuinfo', () => {
    const block = (socket: number, core: number) =>
      `physical id\t: ${socket}\ncore id\t\t: ${core}\nflags\t\t: fpu avx2 fma avx512f\n`
    const cpuinfo = [block(0, 0), block(0, 0), block(0, 1), block(1, 0)].join('\n')
    const files: Record<string, string> = { '/proc/cpuinfo': cpuinfo }
    const { physicalCores, features } = processor((path) => files[path], known)
    expect({ physicalCores, features }).toEqual({
      physicalCores: 3,
      features: ['avx2', 'fma', 'avx512f'],
    })
  })

  it('is what Node knows where there is none', () => {
    expect(processor(() => undefined, known)).toEqual({
      ...known,
      physicalCores: undefined,
      features: [],
      governor: undefined,
    })
  })
})
