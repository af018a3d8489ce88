import type { Readable } from 'node:stream'
import { createGunzip, createInflate } from 'node:zlib'
import { ProtocolError } from './protocol-error.ts'

const decoders: Readonly<Record<string, typeof createGunzip | typeof createInflate | undefined>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
}

/**
 * The body as it was before the client compressed it; itself where it did not. Whoever reads it destroys it: what is not
 * read yet stays with the request.
 *
 * @throws {ProtocolError} 415
 */
export function decodedBody(body: Readable, encoding: string | undefined): Readable {
  const name = encoding?.trim().toLowerCase() ?? 'identity'
  if (name === 'identity') return body
  const decoder = Object.hasOwn(decoders, name) ? decoders[name] : undefined
  if (decoder === undefined) {
    throw new ProtocolError(
      415,
      `content-encoding ${JSON.stringify(encoding)} is not read here; send the body as it is, or in gzip or deflate`,
    )
  }
  const decoded = decoder()
  // A pipe passes on the end, but no other end than that.
  body.once('error', () => decoded.destroy())
  body.once('close', () => {
    if (!body.readableEnded) decoded.destroy()
  })
  return body.pipe(decoded)
}
