import { describe, expect, it } from 'vitest'
import { addonFailure } from '../../src/native/addon-failure.ts'
import type { AddonAttempt } from '../../src/native/find-addon.ts'
import { platformPackage, platformPackages } from '../../src/native/platform-package.ts'
import { packageManifest } from '../../src/package-manifest.ts'

const linux = { platform: 'linux', arch: 'x64', libc: 'glibc 2.36' }
const notBuilt: AddonAttempt = {
  place: 'the local build',
  target: '/app/build/millrace.node',
  problem: 'not there',
}
const notInstalled: AddonAttempt = {
  place: 'the platform package',
  target: '@millrace/addon-linux-x64-gnu',
  problem: 'not installed',
}
const failure = (change: Partial<Parameters<typeof addonFailure>[0]>) =>
  addonFailure({
    attempts: [notBuilt, notInstalled],
    platform: linux,
    node: 'v20.19.0',
    version: '0.1.0',
    checkout: false,
    ...change,
  })

describe('an addon that cannot be loaded', () => {
  it('is one error that lists what was tried and what to do', () => {
    const { code, message } = failure({})
    expect(code).toBe('MILLRACE_NATIVE_LOAD')
    expect(message).toBe(
      'the native addon cannot be loaded on linux x64 (glibc 2.36), Node v20.19.0; ' +
        'tried the local build (/app/build/millrace.node): not there; ' +
        'the platform package (@millrace/addon-linux-x64-gnu): not installed; ' +
        'npm install @millrace/addon-linux-x64-gnu@0.1.0 (optional dependencies are left out by --omit=optional, ' +
        'and where node_modules or the lock file was made on another platform)',
    )
  })

  it('is built in a checkout', () => {
    expect(failure({ checkout: true }).message).toMatch(/; build it with: npm run setup$/)
  })

  it('has no package on a platform that none is published for', () => {
    const musl = { ...linux, libc: 'musl' }
    expect(failure({ platform: musl }).message).toMatch(/linux x64 \(musl\).*no addon is published/)
    const other = { platform: 'aix', arch: 'ppc64', libc: undefined }
    expect(failure({ platform: other }).message).toMatch(/no addon is published/)
  })

  it('keeps what the loader threw, and says its first line', () => {
    const cause = new Error('invalid ELF header\nRequire stack:\n- /app/load.js')
    const broken: AddonAttempt = { ...notInstalled, problem: cause.message, cause }
    const error = failure({ attempts: [notBuilt, broken] })
    expect(error.cause).toBe(cause)
    expect(error.message).toContain('invalid ELF header; reinstall it')
    expect(error.message).not.toContain('\n')
  })

  it('is not looked for elsewhere where MILLRACE_ADDON names a file', () => {
    const named: AddonAttempt = { place: 'MILLRACE_ADDON', target: '/a.node', problem: 'not there' }
    const { message } = failure({ attempts: [named] })
    expect(message).toMatch(/tried MILLRACE_ADDON \(\/a.node\): not there; set MILLRACE_ADDON to/)
  })
})

describe('platform packages', () => {
  it('are those of package.json, one a target', () => {
    const { packageName, targets } = packageManifest().napi ?? { packageName: '', targets: [] }
    expect(targets).toHaveLength(Object.keys(platformPackages).length)
    for (const name of Object.values(platformPackages)) expect(name).toContain(`${packageName}-`)
  })

  it('are found by platform, but for musl', () => {
    expect(platformPackage(linux)).toBe('@millrace/addon-linux-x64-gnu')
    expect(platformPackage({ ...linux, libc: 'musl' })).toBeUndefined()
    expect(platformPackage({ ...linux, arch: 'ia32' })).toBeUndefined()
  })
})
