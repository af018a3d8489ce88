import { MillraceError } from '../errors.ts'
import type { AddonAttempt } from './find-addon.ts'
import { type Platform, platformPackage, platformText } from './platform-package.ts'

/** What an error about a missing addon is made of. */
export interface AddonFailure {
  readonly attempts: readonly AddonAttempt[]
  readonly platform: Platform
  /** Of Node, such as `v20.19.0`. */
  readonly node: string
  /** Of this package. */
  readonly version: string
  /** Whether this is a checkout, with the sources of the addon in it. */
  readonly checkout: boolean
}

/** One MILLRACE_NATIVE_LOAD: every place where the addon was looked for, what was wrong with it, and what to do. */
export function addonFailure(failure: AddonFailure): MillraceError {
  const tried = failure.attempts.map(({ place, target, problem }) => {
    return `${place} (${target}): ${oneLine(problem ?? '')}`
  })
  const where = `${platformText(failure.platform)}, Node ${failure.node}`
  return new MillraceError({
    code: 'MILLRACE_NATIVE_LOAD',
    message: `the native addon cannot be loaded on ${where}; tried ${tried.join('; ')}; ${addonRemedy(failure)}`,
    cause: failure.attempts.findLast(({ cause }) => cause !== undefined)?.cause,
  })
}

/** What to do about it, as one clause. */
export function addonRemedy({
  attempts,
  platform,
  version,
  checkout,
}: Omit<AddonFailure, 'node'>): string {
  if (attempts.some(({ place }) => place === 'MILLRACE_ADDON')) {
    return 'set MILLRACE_ADDON to an addon of this version and platform, or unset it'
  }
  if (checkout) return 'build it with: npm run setup'
  const name = platformPackage(platform)
  if (name === undefined) {
    const from = 'build it in a checkout of millrace and name the file in MILLRACE_ADDON'
    return `no addon is published for this platform: ${from}`
  }
  const last = attempts.at(-1)
  if (last?.cause !== undefined) return `reinstall it, or see what else it needs: ${glibcAdvice}`
  return (
    `npm install ${name}@${version} (optional dependencies are left out by --omit=optional, ` +
    'and where node_modules or the lock file was made on another platform)'
  )
}

const glibcAdvice = 'on Linux glibc 2.28 or later'

// A loader's message may have many lines, and the stack of what was required.
function oneLine(text: string): string {
  return (text.split('\n')[0] ?? '').trim()
}
