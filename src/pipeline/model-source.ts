import { checkString } from '../check.ts'
import { definitionError } from './definition-error.ts'
import { looksLikeUrl, pathOfUrl } from './file-url.ts'

/**
 * Where a model comes from: a path (a relative one is resolved against the working directory when
 * an engine starts), a file: URL, or the bytes of the model. Bytes are kept by reference: leave
 * them unchanged while the pipeline is in use.
 */
export type ModelSource = string | URL | Uint8Array

const code = 'MILLRACE_INVALID_PIPELINE'

/** A model in messages: its path, or how many bytes it has. */
export function modelLabel(source: string | Uint8Array): string {
  return typeof source === 'string' ? source : `${source.byteLength} bytes`
}

/** Path or bytes of a model; `where` begins the message where it is neither. */
export function checkSource(source: unknown, where: string): string | Uint8Array {
  if (source instanceof Uint8Array) {
    if (source.byteLength > 0) return source
    throw definitionError(where, 'expected the bytes of a model, got none; read the file first')
  }
  const remedy = 'fetch the model and give its bytes'
  if (source instanceof URL) return pathOfUrl(source, { where, fix: remedy })
  const fix = 'give the path, a file: URL or the bytes of a model'
  const text = checkString(source, { name: where, code, fix })
  return looksLikeUrl(text) ? pathOfUrl(new URL(text), { where, fix: remedy }) : text
}
