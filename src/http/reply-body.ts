import { Readable } from 'node:stream'
import type { Connections } from './connections.ts'
import { EndableBody } from './endable-body.ts'
import type { HttpResponse } from './message.ts'

/** A body as Node sends it: whole, or as it comes. */
export function replyBody(
  body: HttpResponse['body'],
  connections: Connections | undefined,
): Buffer | Readable {
  // Bytes also where it is text: frameworks would add a charset to its type.
  if (typeof body === 'string') return Buffer.from(body)
  if (body instanceof Uint8Array) return asBuffer(body)
  if (Array.isArray(body)) return Buffer.concat(body as readonly Uint8Array[])
  const chunks = new EndableBody(body as AsyncIterable<string | Uint8Array>)
  // Bytes and not objects, so that what is waiting to be sent is bounded.
  const stream = Readable.from(chunks, { objectMode: false })
  if (connections !== undefined) stream.once('close', connections.streaming(chunks))
  return stream
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
