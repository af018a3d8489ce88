import { fileURLToPath } from 'node:url'
import { describe } from '../check.ts'
import { definitionError } from './definition-error.ts'

/** Whether the text is a URL rather than a path; `C:\\m.onnx` is a path. */
export function looksLikeUrl(text: string): boolean {
  return /^[a-z][a-z0-9+.-]+:\/\//i.test(text) && URL.canParse(text)
}

/** The path that a file: URL names on this machine. */
export function pathOfUrl(url: URL, { where, fix }: { where: string; fix: string }): string {
  if (url.protocol !== 'file:') {
    throw definitionError(where, `expected a file: URL, got ${url.protocol}; ${fix}`)
  }
  try {
    return fileURLToPath(url)
  } catch (cause) {
    const problem = `${describe(url.href)} names no file here`
    throw definitionError(where, `${problem}: ${(cause as Error).message}`)
  }
}
