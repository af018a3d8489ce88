// What an orchestrator asks: whether the process is alive, and whether it should be sent requests.
import type { AdapterTerms } from './adapter-options.ts'
import type { HttpHandler, HttpResponse } from './message.ts'

/**
 * GET /live says 200 for as long as the process answers at all; GET /ready says 200 when every engine has started, is warm
 * and takes requests, otherwise 503, and 503 from the moment on when the server begins to shut down.
 */
export function healthHandler({ engines, connections }: AdapterTerms): HttpHandler {
  return ({ method, path }) => {
    if (path !== '/live' && path !== '/ready') return undefined
    if (method !== 'GET' && method !== 'HEAD') return answer(405, { error: 'use GET' })
    if (path === '/live') return answer(200, { live: true })
    const ready = engines.ready && !connections.leaving
    return answer(ready ? 200 : 503, { ready, engines: engines.states() })
  }
}

function answer(status: number, body: object): HttpResponse {
  return {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
    body: JSON.stringify(body),
  }
}
