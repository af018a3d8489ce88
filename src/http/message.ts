import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'

/** A request as every handler sees it, whichever framework it came through. */
export interface HttpRequest {
  /** In capitals, such as `POST`. */
  readonly method: string
  /** Below where the handler is mounted: begins with '/', has no query, and is percent-encoded as it came. */
  readonly path: string
  /**
   * The whole path as the client sent it, the mount point included, without the query: to tell a mount point with a slash at
   * its end from one without. Left out where an adapter cannot say.
   */
  readonly fullPath?: string | undefined
  /** What follows the '?'; empty where there is none. */
  readonly query: string
  /** Names in lower case. */
  readonly headers: IncomingHttpHeaders
  /** Not read yet; what a handler leaves unread the adapter drops. */
  readonly body: Readable
  /** Aborted when the client hangs up before it has its answer. Made when it is first asked for. */
  readonly signal: AbortSignal
}

/** What a handler answers; the adapter writes it. */
export interface HttpResponse {
  /** HTTP status, such as 200. */
  readonly status: number
  /** Names in lower case. `content-length` is the adapter's business. */
  readonly headers: Readonly<Record<string, string>>
  /** Whole, in parts, or as it comes (server-sent events): a stream is returned from when the client hangs up. */
  readonly body: string | Uint8Array | readonly Uint8Array[] | AsyncIterable<string | Uint8Array>
}

/** Answers what is below its mount point; undefined for a path that is not its own. It never rejects. */
export type HttpHandler = (request: HttpRequest) => HttpResponse | Promise<HttpResponse> | undefined
