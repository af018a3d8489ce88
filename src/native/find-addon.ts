// Where the addon may be, in the order in which it is looked for, and what came of each place.
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { packageFile } from '../package-file.ts'
import { packageManifest } from '../package-manifest.ts'
import type { Addon } from './addon.ts'
import { platformPackage } from './platform-package.ts'
import { thisPlatform } from './this-platform.ts'

/** A place where the addon was looked for. */
export interface AddonAttempt {
  readonly place: 'MILLRACE_ADDON' | 'the local build' | 'the platform package'
  /** The file; the name of the package where that is not installed. */
  readonly target: string
  /** Why it was not taken; undefined for the one that was. */
  readonly problem: string | undefined
  /** What loading it threw. */
  readonly cause?: unknown
}

export interface FoundAddon {
  /** Undefined where nothing that was tried loads. */
  readonly addon: Addon | undefined
  readonly attempts: readonly AddonAttempt[]
}

const require = createRequire(import.meta.url)

/**
 * MILLRACE_ADDON alone where the environment has it; else what was built in this folder, then the package for this platform.
 * Never throws: what is wrong with each place is said in its attempt.
 */
export function findAddon(): FoundAddon {
  const override = process.env['MILLRACE_ADDON']
  if (override) return tryEach([() => tryFile('MILLRACE_ADDON', override)])
  return tryEach([
    () => tryFile('the local build', packageFile('build/Release/millrace.node')),
    tryPackage,
  ])
}

interface Try {
  readonly addon?: Addon
  readonly attempt: AddonAttempt
}

function tryEach(tries: readonly (() => Try)[]): FoundAddon {
  const attempts: AddonAttempt[] = []
  for (const attemptOne of tries) {
    const { addon, attempt } = attemptOne()
    attempts.push(attempt)
    if (addon !== undefined) return { addon, attempts }
  }
  return { addon: undefined, attempts }
}

function tryFile(place: AddonAttempt['place'], target: string): Try {
  if (!existsSync(target)) return { attempt: { place, target, problem: 'not there' } }
  try {
    const addon = require(target) as Addon
    return { addon, attempt: { place, target, problem: undefined } }
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause)
    return { attempt: { place, target, problem, cause } }
  }
}

function tryPackage(): Try {
  const place = 'the platform package'
  const { platform, arch } = process
  // Which C library it is costs time to learn: where the package is not there, whoever reports that asks.
  const name = platformPackage({ platform, arch, libc: undefined })
  if (name === undefined) {
    const { libc } = thisPlatform()
    const problem = `there is none for this platform${libc === undefined ? '' : ` (${libc})`}`
    return { attempt: { place, target: `${platform} ${arch}`, problem } }
  }
  return installedPackage(name)
}

function installedPackage(name: string): Try {
  const place = 'the platform package'
  let manifest: string
  try {
    manifest = require.resolve(`${name}/package.json`)
  } catch {
    return { attempt: { place, target: name, problem: 'not installed' } }
  }
  const { version } = require(manifest) as { readonly version: string }
  const wanted = packageManifest().version
  if (version !== wanted) {
    const problem = `expected version ${wanted}, found ${version} at ${manifest}`
    return { attempt: { place, target: name, problem } }
  }
  return tryFile(place, require.resolve(name))
}
