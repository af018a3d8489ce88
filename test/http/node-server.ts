// A handler behind a plain node:http server, as the adapters do it for frameworks.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'
import type { HttpHandler, HttpResponse } from '../../src/http/message.ts'

/** Listens on 127.0.0.1; `close` ends all connections. */
export interface NodeServer extends AsyncDisposable {
  /** Where the handler is mounted, with a slash at its end. */
  readonly url: string
  readonly port: number
  close(): Promise<void>
}

export async function serveHandler(
  handler: HttpHandler,
  { mount = '/live', port = 0 }: { readonly mount?: string; readonly port?: number } = {},
): Promise<NodeServer> {
  const server = createServer((request, response) => void answer(request, response))
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const { pathname, search } = new URL(request.url ?? '/', 'http://host')
    const gone = new AbortController()
    response.once('close', () => gone.abort())
    const below = pathname.startsWith(mount) ? pathname.slice(mount.length) : undefined
    const answered =
      below === undefined
        ? undefined
        : await handler({
            method: request.method ?? 'GET',
            path: below === '' ? '/' : below,
            fullPath: pathname,
            query: search.slice(1),
            headers: request.headers,
            body: request,
            signal: gone.signal,
          })
    await write(answered ?? { status: 404, headers: {}, body: '' }, response)
  }
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  const close = async () => {
    server.close()
    server.closeAllConnections()
    if (server.listening) await once(server, 'close')
  }
  const { port: given } = server.address() as AddressInfo
  const url = `http://127.0.0.1:${given}${mount}/`
  return { url, port: given, close, [Symbol.asyncDispose]: close }
}

async function write({ status, headers, body }: HttpResponse, response: ServerResponse) {
  response.writeHead(status, headers)
  if (typeof body === 'string' || body instanceof Uint8Array) response.end(body)
  else if (Array.isArray(body)) response.end(Buffer.concat(body))
  // A client that hangs up ends the stream, and what made it.
  else await pipeline(body as AsyncIterable<string>, response).catch(() => undefined)
}
