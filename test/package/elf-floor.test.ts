import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { compareVersions, elfNeeds, newestVersion } from '../../scripts/package/elf-versions.mjs'
import { glibcFloor } from '../../scripts/package/glibc-floor.mjs'

const addon = fileURLToPath(new URL('../../build/Release/millrace.node', import.meta.url))
const library = fileURLToPath(
  new URL(
    `../../node_modules/onnxruntime-node/bin/napi-v6/linux/${process.arch}/libonnxruntime.so.1`,
    import.meta.url,
  ),
)

describe.runIf(process.platform === 'linux')('the addon for Linux', () => {
  const needs = elfNeeds(addon)

  it('loads with the glibc that ONNX Runtime needs, and with older ones', () => {
    const glibc = newestVersion(needs, 'GLIBC') ?? []
    expect(compareVersions(glibc, glibcFloor), `it needs glibc ${glibc.join('.')}`).toBeLessThan(1)
    const runtime = newestVersion(elfNeeds(library), 'GLIBC') ?? []
    expect(compareVersions(glibc, runtime)).toBeLessThan(1)
  })

  it('brings its own libstdc++', () => {
    expect(newestVersion(needs, 'GLIBCXX')).toBeUndefined()
    expect(needs.libraries).not.toContain('libstdc++.so.6')
  })

  it('is not linked with ONNX Runtime', () => {
    expect(needs.libraries.filter((name) => name.includes('onnxruntime'))).toEqual([])
  })
})

describe('versions', () => {
  it('are compared as numbers', () => {
    const versions = ['GLIBC_2.9', 'GLIBC_2.28', 'GLIBC_2.2.5', 'GLIBC_PRIVATE', 'GLIBCXX_3.4.30']
    const needs = { libraries: [], versions }
    expect(newestVersion(needs, 'GLIBC')).toEqual([2, 28])
    expect(newestVersion(needs, 'GLIBCXX')).toEqual([3, 4, 30])
    expect(newestVersion(needs, 'GCC')).toBeUndefined()
    expect(compareVersions([2, 28], [2, 28, 0])).toBe(0)
  })

  it('are not read from what is no such file', () => {
    expect(() => elfNeeds(fileURLToPath(import.meta.url))).toThrow(/expected a 64-bit/)
  })
})
