import { readdirSync } from 'node:fs'
import type { Platform } from './platform-package.ts'

/** Takes some milliseconds on Linux: Node is asked for a report on itself. */
export function thisPlatform(): Platform {
  const { platform, arch } = process
  return { platform, arch, libc: platform === 'linux' ? libc() : undefined }
}

function libc(): string {
  const version = reportedGlibc()
  if (version !== undefined) return `glibc ${version}`
  return hasMuslLoader() ? 'musl' : 'an unknown C library'
}

function reportedGlibc(): string | undefined {
  // Otherwise it would look up the names of the peers of open sockets. Newer than the types that we compile with.
  const report: typeof process.report & { excludeNetwork?: boolean } = process.report
  const before = report.excludeNetwork ?? false
  report.excludeNetwork = true
  try {
    const { header } = report.getReport() as { header?: { glibcVersionRuntime?: string } }
    return header?.glibcVersionRuntime
  } finally {
    report.excludeNetwork = before
  }
}

function hasMuslLoader(): boolean {
  try {
    return readdirSync('/lib').some((name) => name.startsWith('ld-musl-'))
  } catch {
    return false
  }
}
