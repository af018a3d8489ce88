import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { signalOf } from './connection.ts'
import type { HttpRequest } from './message.ts'

/** A request of Node as handlers see it. */
export class MountedRequest implements HttpRequest {
  readonly path: string
  readonly fullPath: string
  readonly query: string
  readonly body: IncomingMessage
  readonly #response: ServerResponse
  #signal: AbortSignal | undefined

  /** `url` is what is below the mount point: a path and a query, where the path may be empty. */
  constructor(
    request: IncomingMessage,
    { url, response }: { url: string; response: ServerResponse },
  ) {
    const mark = url.indexOf('?')
    const path = mark < 0 ? url : url.slice(0, mark)
    // Express takes the mount point off `url`, and keeps what came.
    const { originalUrl = request.url ?? url } = request as { originalUrl?: string; url?: string }
    this.fullPath = originalUrl.split('?', 1)[0] ?? ''
    this.path = path.startsWith('/') ? path : `/${path}`
    this.query = mark < 0 ? '' : url.slice(mark + 1)
    this.body = request
    this.#response = response
  }

  get method(): string {
    return this.body.method ?? 'GET'
  }

  get headers(): IncomingHttpHeaders {
    return this.body.headers
  }

  get signal(): AbortSignal {
    this.#signal ??= signalOf(this.body, this.#response)
    return this.#signal
  }
}
