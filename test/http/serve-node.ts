// A handler behind a plain node:http server: the least that an adapter has to do.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { HttpHandler, HttpRequest, HttpResponse } from '../../src/index.ts'

/** A server of a handler at the root of `url`. */
export interface Served {
  /** Without a slash at its end. */
  readonly url: string
  close(): Promise<void>
}

/** Serves a handler on a free port of this machine. */
export type Serve = (handler: HttpHandler) => Promise<Served>

export const serveNode: Serve = async (handler) => {
  const server = createServer((request, response) => void answer(handler, request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

async function answer(handler: HttpHandler, request: IncomingMessage, response: ServerResponse) {
  const answered = await handler(toRequest(request, response))
  const { status, headers, body }: HttpResponse = answered ?? {
    status: 404,
    headers: {},
    body: 'not of the handler',
  }
  await dropRest(request)
  response.writeHead(status, headers)
  if (typeof body === 'string' || body instanceof Uint8Array) response.end(body)
  else {
    for await (const part of body as AsyncIterable<string | Uint8Array>) {
      if (response.destroyed) return
      response.write(part)
    }
    response.end()
  }
}

/** Reads what the handler left, or a client that still sends would be cut off from its answer; not for ever. */
function dropRest(request: IncomingMessage): Promise<void> | undefined {
  if (request.readableEnded || request.destroyed) return undefined
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, 500)
    const done = () => {
      clearTimeout(timer)
      resolve()
    }
    request.once('end', done).once('close', done).resume()
  })
}

function toRequest(request: IncomingMessage, response: ServerResponse): HttpRequest {
  const [path = '', query = ''] = (request.url ?? '').split(/\?(.*)/s)
  let controller: AbortController | undefined
  return {
    method: request.method ?? '',
    path,
    query,
    headers: request.headers,
    body: request,
    get signal() {
      if (controller === undefined) {
        const made = new AbortController()
        response.once('close', () => response.writableFinished || made.abort())
        if (response.destroyed) made.abort()
        controller = made
      }
      return controller.signal
    },
  }
}
