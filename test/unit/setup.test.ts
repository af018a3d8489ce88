import { spawnSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  dependenciesFingerprint,
  installedMatchesLock,
  samePackages,
} from '../../scripts/setup/dependencies.mjs'
import { filesBelow, fingerprint } from '../../scripts/setup/fingerprint.mjs'
import { acquireLock } from '../../scripts/setup/lock.mjs'
import { isCurrent, markCurrent } from '../../scripts/setup/steps.mjs'
import { checkNativeToolchain, checkNode } from '../../scripts/setup/toolchain.mjs'

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'millrace-setup-'))
})
afterEach(() => {
  rmSync(root, { recursive: true })
})

const write = (path: string, content: string) => {
  mkdirSync(join(root, path, '..'), { recursive: true })
  writeFileSync(join(root, path), content)
}

describe('a fingerprint', () => {
  const take = () => fingerprint({ root, paths: ['src', 'one.json', 'missing'], also: ['x64'] })

  beforeEach(() => {
    write('src/a.ts', 'a')
    write('src/deep/b.ts', 'b')
    write('one.json', '{}')
  })

  it('covers folders, files and nothing that is missing', () => {
    const files = ['src', 'one.json', 'missing'].flatMap((path) => filesBelow({ root, path }))
    expect(files).toEqual(['src/a.ts', 'src/deep/b.ts', 'one.json'])
  })

  it('stays when only times change', () => {
    const before = take()
    utimesSync(join(root, 'src/a.ts'), 1, 1)
    expect(take()).toBe(before)
  })

  it.each([
    ['a content changes', () => write('src/a.ts', 'A')],
    ['a file is added', () => write('src/c.ts', '')],
    ['a file is removed', () => rmSync(join(root, 'src/a.ts'))],
    [
      'bytes move from one file to the next',
      () => {
        write('src/a.ts', '')
        write('src/deep/b.ts', 'ab')
      },
    ],
    ['what was missing appears', () => write('missing', '')],
  ])('changes when %s', (_what, change) => {
    const before = take()
    change()
    expect(take()).not.toBe(before)
  })
})

describe('a step', () => {
  const step = (changes: object = {}) => ({
    message: 'testing',
    stampPath: join(root, 'build/stamp'),
    fingerprint: () => 'one',
    outputs: () => [join(root, 'out')],
    run: () => {},
    ...changes,
  })

  it('is current when its stamp is that of now and its outputs are there', () => {
    write('out', '')
    expect(isCurrent(step())).toBe(false)
    markCurrent(step(), 'one')
    expect(isCurrent(step())).toBe(true)
  })

  it('is not current when an input changed or an output is gone', () => {
    write('out', '')
    markCurrent(step(), 'one')
    expect(isCurrent(step({ fingerprint: () => 'two' }))).toBe(false)
    rmSync(join(root, 'out'))
    expect(isCurrent(step())).toBe(false)
  })

  it('takes over what somebody else has already done', () => {
    write('out', '')
    expect(isCurrent(step({ adopt: () => true }))).toBe(true)
    expect(existsSync(join(root, 'build/stamp'))).toBe(true)
  })
})

describe('node_modules', () => {
  const locked = {
    '': { dependencies: { a: '^1.0.0' } },
    'node_modules/a': { version: '1.0.0', integrity: 'x' },
  }

  beforeEach(() => {
    write('package.json', JSON.stringify({ dependencies: { a: '^1.0.0' }, scripts: { test: 'x' } }))
    write('package-lock.json', JSON.stringify({ packages: locked }))
  })

  it('matches when npm installed exactly what the lock asks for', () => {
    expect(installedMatchesLock(root)).toBe(false)
    write('node_modules/.package-lock.json', JSON.stringify({ packages: locked }))
    expect(installedMatchesLock(root)).toBe(true)
    write('package.json', JSON.stringify({ dependencies: { a: '^1.0.0', b: '1' } }))
    expect(installedMatchesLock(root)).toBe(false)
  })

  it('may lack optional packages, made for other platforms, and nothing else', () => {
    const other = { version: '1.0.0', integrity: 'y' }
    const wanted = (extra: object) => ({
      packages: { ...locked, 'node_modules/b': { ...other, ...extra } },
    })
    expect(samePackages(wanted({ optional: true }), { packages: locked })).toBe(true)
    expect(samePackages(wanted({}), { packages: locked })).toBe(false)
    expect(samePackages({ packages: locked }, wanted({}))).toBe(true)
  })

  it('is asked for again when a dependency changes, not when a script does', () => {
    const before = dependenciesFingerprint(root)
    write('package.json', JSON.stringify({ dependencies: { a: '^1.0.0' }, scripts: { test: 'y' } }))
    expect(dependenciesFingerprint(root)).toBe(before)
    write('package.json', JSON.stringify({ dependencies: { a: '^1.0.1' } }))
    expect(dependenciesFingerprint(root)).not.toBe(before)
  })
})

describe('the lock', () => {
  const lock = (options: object = {}) => acquireLock({ path: join(root, 'build/lock'), ...options })

  it('is taken, released and leaves nothing behind', () => {
    lock()()
    lock()()
    expect(readdirSync(join(root, 'build'))).toEqual([])
  })

  it('is waited for while its holder lives, and the wait is bounded', () => {
    const release = lock()
    const waitedFor: number[] = []
    const onWait = (pid: number) => waitedFor.push(pid)
    expect(() => lock({ timeoutMs: 0, onWait })).toThrow(`process ${process.pid} has held`)
    expect(waitedFor).toEqual([process.pid])
    release()
  })

  it('is taken from a holder that died', () => {
    const dead = spawnSync(process.execPath, ['-e', '']).pid
    mkdirSync(join(root, `build/lock/${dead}-1`), { recursive: true })
    lock({ timeoutMs: 0 })()
    expect(existsSync(join(root, 'build/lock'))).toBe(false)
  })

  it.runIf(process.platform === 'linux')(
    'is taken from a holder whose process id is in use again',
    () => {
      mkdirSync(join(root, `build/lock/${process.pid}-1`), { recursive: true })
      lock({ timeoutMs: 0 })()
      expect(existsSync(join(root, 'build/lock'))).toBe(false)
    },
  )

  it('is taken from a holder that died while it was letting go', () => {
    mkdirSync(join(root, 'build/lock'), { recursive: true })
    lock({ timeoutMs: 0 })()
  })
})

describe('the toolchain', () => {
  it('accepts a Node that is new enough', () => {
    checkNode('>=20.19', '20.19.0')
    checkNode('>=20.19', '22.0.0')
    expect(() => checkNode('>=20.19', '20.18.1')).toThrow(
      'this is Node 20.18.1; Millrace needs >=20.19',
    )
    expect(() => checkNode('>=20.19', '18.20.0')).toThrow('Millrace needs >=20.19')
  })

  it('names what is missing and the line that installs it', () => {
    const check = () => checkNativeToolchain({ env: { PATH: root }, platform: 'linux' })
    expect(check).toThrow('cmake and a C++20 compiler and make not found')
    expect(check).toThrow('apt-get install -y cmake g++ make')
  })
})
