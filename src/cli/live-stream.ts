// The snapshots of a live page, from its address. What goes wrong is said in words of a command line.
import { setTimeout } from 'node:timers/promises'
import { MillraceError } from '../errors.ts'
import type { LiveSnapshot } from '../observe/live-snapshot.ts'
import { readEvents } from './event-stream.ts'

/** Milliseconds within which the first snapshot must come. */
const patienceMs = 10_000

/**
 * The address of a page's events, from the address of the page in any of its forms.
 *
 * @throws {MillraceError} MILLRACE_INVALID_OPTION
 */
export function eventsUrl(given: string): URL {
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(given) ? given : `http://${given}`
  if (!URL.canParse(text)) throw wrongUrl(given)
  const url = new URL(text)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw wrongUrl(given)
  url.hash = ''
  url.search = ''
  const place = url.pathname.replace(/\/(events|snapshot\.json|page\.html)?$/, '')
  url.pathname = `${place}/events`
  return url
}

/**
 * Snapshots as they come, until all engines are closed or `signal` is aborted.
 *
 * @throws {Error} where there is no live page, or the connection is lost.
 */
export async function* liveSnapshots(
  url: URL,
  { signal }: { readonly signal: AbortSignal },
): AsyncGenerator<LiveSnapshot> {
  const ended = new AbortController()
  const either = AbortSignal.any([signal, ended.signal])
  try {
    const response = await connect(url, either)
    let count = 0
    const chunks = response.body as AsyncIterable<Uint8Array>
    try {
      for await (const { name, data } of readEvents(chunks)) {
        if (name === 'end') return
        if (name !== 'snapshot') continue
        yield readSnapshot(data, url)
        count++
      }
    } catch (cause) {
      if (signal.aborted) return
      if (MillraceError.is(cause)) throw cause
      throw lost(url, { count, cause })
    }
    if (!signal.aborted) throw lost(url, { count, cause: undefined })
  } finally {
    ended.abort()
  }
}

async function connect(url: URL, signal: AbortSignal): Promise<Response> {
  const late = new AbortController()
  const response = await Promise.race([
    fetch(url, { signal, headers: { accept: 'text/event-stream' } }).catch((cause: unknown) => {
      throw signal.aborted ? signal.reason : unreachable(url, cause)
    }),
    setTimeout(patienceMs, undefined, { signal: late.signal, ref: false }).catch(() => undefined),
  ]).finally(() => late.abort())
  if (response === undefined) throw unreachable(url, `no answer within ${patienceMs / 1000} s`)
  const type = response.headers.get('content-type') ?? 'no content type'
  if (response.ok && type.startsWith('text/event-stream')) return response
  await response.body?.cancel()
  if (response.status === 503) {
    throw new Error(`${url}: its engines are closed, or the server is not ready (status 503)`)
  }
  if (response.status === 401 || response.status === 403) {
    throw new Error(`${url}: the server wants to know who asks (status ${response.status})`)
  }
  const got = response.ok ? type : `status ${response.status}`
  throw notLive(url, `expected the events of a live page, got ${got}`)
}

function readSnapshot(data: string, url: URL): LiveSnapshot {
  const snapshot = parse(data) as Partial<LiveSnapshot> | undefined
  const version = snapshot?.version as unknown
  if (version === 1 && Array.isArray(snapshot?.engines)) return snapshot as LiveSnapshot
  if (typeof version !== 'number') throw notLive(url, 'expected snapshots of engines, got others')
  throw notLive(
    url,
    `expected snapshots of version 1, got version ${version}: use the millrace that the server uses`,
  )
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function lost(
  url: URL,
  { count, cause }: { readonly count: number; readonly cause: unknown },
): Error {
  const after = count === 0 ? 'before the first snapshot' : `after ${count} snapshots`
  return new Error(`${url}: the connection was lost ${after}`, { cause })
}

function unreachable(url: URL, cause: unknown): Error {
  return new Error(`${url}: cannot be reached: ${reasonOf(cause)}; is the server running?`, {
    cause,
  })
}

/** fetch says "fetch failed", and its cause why; with several addresses, each has its own. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error instanceof AggregateError) return reasonOf(error.errors[0])
  return error.cause === undefined ? error.message : reasonOf(error.cause)
}

function notLive(url: URL, problem: string): MillraceError {
  return new MillraceError({
    code: 'MILLRACE_INVALID_OPTION',
    message: `${url}: ${problem}; give the address that livePage() is mounted at`,
  })
}

function wrongUrl(given: string): MillraceError {
  return new MillraceError({
    code: 'MILLRACE_INVALID_OPTION',
    message: `URL: expected the address of a live page, such as http://127.0.0.1:3000/live, got ${JSON.stringify(given)}; give one`,
  })
}
