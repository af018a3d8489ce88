import { LiveFeed } from '../observe/live-feed.ts'
import type { LiveOptions } from '../observe/live-options.ts'
import { type LiveAsset, readLiveAssets } from './live-assets.ts'
import { LiveEvents } from './live-events.ts'
import type { HttpHandler, HttpRequest, HttpResponse } from './message.ts'

/** Answers `/`, its files, `/events` and `/snapshot.json` below where it is mounted. */
export interface LivePage extends HttpHandler {
  /**
   * Ends the streams of all who watch, so that a server can close, and lets go of the engines; afterwards `/events` is
   * answered with 503. Happens by itself once all engines are closed. May be called again.
   */
  close(): void
}

/** Scripts and styles are files of the page's own, and there is nothing else: whatever a name holds, it is text. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'self'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

const always = { 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' }

/**
 * A page that shows what engines do, while they do it: the pipeline with rates, queues and replicas, latency against the
 * objective, attainment, what was predicted beside what is measured, and what the tuner decides and why. Needs nothing
 * from anywhere else. It is served where the host mounts it, to whoever may come there: put it behind the host's own
 * authentication where names of stages and figures of traffic are nobody's business.
 *
 * ```ts
 * const page = livePage({ engines: { digits: { engine, tuner, plan } } })
 * ```
 *
 * @throws {MillraceError} MILLRACE_INVALID_OPTION; MILLRACE_INVALID_FILE where the package is not whole.
 */
export function livePage(options: LiveOptions): LivePage {
  const assets = readLiveAssets()
  const feed = new LiveFeed(options)
  const handler = (request: HttpRequest): HttpResponse | undefined => {
    const asset = assets.get(request.path)
    if (asset === undefined && !feedPaths.includes(request.path)) return undefined
    if (request.method !== 'GET' && request.method !== 'HEAD') return notAllowed
    if (asset !== undefined) return withSlash(request) ?? serve(asset, request)
    return request.path === '/events' ? stream(feed, request) : snapshot(feed)
  }
  return Object.assign(handler, { close: () => feed.close() })
}

/** Below the mount point, so that relative addresses lead there; undefined where the client is there already. */
function withSlash({ path, fullPath, query }: HttpRequest): HttpResponse | undefined {
  if (path !== '/' || fullPath === undefined || fullPath.endsWith('/')) return undefined
  // Relative, since a proxy may have taken a part of the path away. The dot keeps a colon from making a scheme of it.
  const place = `./${fullPath.slice(fullPath.lastIndexOf('/') + 1)}/`
  const location = query === '' ? place : `${place}?${query}`
  return { status: 308, headers: { ...always, location, 'cache-control': 'no-cache' }, body: '' }
}

function serve({ body, contentType, etag }: LiveAsset, request: HttpRequest): HttpResponse {
  const headers = {
    ...always,
    'content-type': contentType,
    'content-security-policy': contentSecurityPolicy,
    'cache-control': 'no-cache',
    etag,
  }
  if (request.headers['if-none-match'] === etag) return { status: 304, headers, body: '' }
  return { status: 200, headers, body: request.method === 'HEAD' ? '' : body }
}

function snapshot(feed: LiveFeed): HttpResponse {
  const headers = { ...always, 'content-type': json, 'cache-control': 'no-store' }
  return { status: 200, headers, body: JSON.stringify(feed.latest()) }
}

function stream(feed: LiveFeed, request: HttpRequest): HttpResponse {
  if (feed.hasEnded) return hasEnded
  const headers = {
    ...always,
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    // nginx would hold events back until it has a block of them.
    'x-accel-buffering': 'no',
  }
  if (request.method === 'HEAD') return { status: 200, headers, body: '' }
  const events = new LiveEvents(feed)
  const { signal } = request
  if (signal.aborted) void events.return()
  signal.addEventListener('abort', () => void events.return(), { once: true })
  return { status: 200, headers, body: events }
}

const feedPaths = ['/events', '/snapshot.json']
const json = 'application/json; charset=utf-8'

const notAllowed: HttpResponse = {
  status: 405,
  headers: { ...always, allow: 'GET, HEAD', 'content-type': 'text/plain; charset=utf-8' },
  body: 'expected GET or HEAD\n',
}

const hasEnded: HttpResponse = {
  status: 503,
  headers: { ...always, 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' },
  body: 'the engines are closed\n',
}
