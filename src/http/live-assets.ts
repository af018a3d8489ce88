// The files of the live page, as they lie in dist: its script is compiled for browsers there.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { MillraceError } from '../errors.ts'
import { packageFile } from '../package-file.ts'

export interface LiveAsset {
  readonly body: Uint8Array
  readonly contentType: string
  /** With its quotes. */
  readonly etag: string
}

// Also where this runs from src, as the workers of functions are: a browser runs JavaScript only.
const folder = 'dist/http/live-page'

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
}
const page = 'page.html'

/**
 * All of them by their path below where the page is mounted, read once; the page itself is `/`.
 *
 * @throws {MillraceError} MILLRACE_INVALID_FILE where they are missing.
 */
export function readLiveAssets(): ReadonlyMap<string, LiveAsset> {
  const names = listAssets().filter((name) => extname(name) in contentTypes)
  const entries = names.map((name) => {
    const body = readFileSync(packageFile(`${folder}/${name}`))
    const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
    const contentType = contentTypes[extname(name)] ?? ''
    return [name === page ? '/' : `/${name}`, { body, contentType, etag }] as const
  })
  return new Map(entries)
}

function listAssets(): readonly string[] {
  try {
    const names = readdirSync(packageFile(folder))
    if (names.includes(page)) return names
  } catch (cause) {
    throw missing(cause)
  }
  throw missing(undefined)
}

function missing(cause: unknown): MillraceError {
  return new MillraceError({
    code: 'MILLRACE_INVALID_FILE',
    message: `the live page: expected its ${page} in the package, and it is not there; install millrace again, or in a checkout run: npm run setup`,
    cause,
  })
}
