// The files of this project, as git sees them: tracked, or new and not ignored.
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A file to judge: a path relative to the root of the project, with forward slashes, and its content. */
export interface SourceFile {
  readonly path: string
  readonly text: string
}

const root = fileURLToPath(new URL('../..', import.meta.url))

export function readProject(): readonly SourceFile[] {
  const listed = execFileSync('git', ['ls-files', '-z', '-co', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  })
  return listed
    .split('\0')
    .filter((path) => path !== '' && existsSync(join(root, path)))
    .map((path) => ({ path, content: readFileSync(join(root, path)) }))
    .filter(({ content }) => !content.subarray(0, 8192).includes(0))
    .map(({ path, content }) => ({ path, text: content.toString('utf8') }))
}

export const isTypeScript = (path: string): boolean => /\.ts$/.test(path)
export const isScript = (path: string): boolean => /\.([cm]?js|ts)$/.test(path)
export const isNative = (path: string): boolean => /\.(h|cc)$/.test(path)
export const isCode = (path: string): boolean => isScript(path) || isNative(path)
export const isGenerated = (path: string): boolean => path.includes('generated/')
/** Code that ships or builds what ships; benches and tests have looser rules. */
export const isProduct = (path: string): boolean => /^(src|native|scripts|examples)\//.test(path)
