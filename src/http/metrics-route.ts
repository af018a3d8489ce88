import { checkObject, checkString, describe } from '../check.ts'
import { MillraceError } from '../errors.ts'
import { checkRegistry, type MetricRegistry } from '../observe/metric-registry.ts'
import type { HttpHandler, HttpResponse } from './message.ts'

/** Which metrics are shown, and where. */
export interface MetricsRouteOptions {
  /** Whose metrics are shown: `observeMetrics(...).registry`, or any of prom-client. */
  readonly registry: MetricRegistry
  /** Below where the handler is mounted; begins with '/'. Default '/metrics'. */
  readonly path?: string | undefined
}

/**
 * Answers GET (and HEAD) of one path with all metrics of a registry, in the format that the registry writes.
 *
 * @throws {MillraceError} MILLRACE_INVALID_OPTION
 */
export function metricsRoute(options: MetricsRouteOptions): HttpHandler {
  const given = checkObject(options, { name: 'metricsRoute()', keys: ['registry', 'path'] })
  const registry = checkRegistry(given.registry)
  const path = checkPath(given.path ?? '/metrics')
  return (request) => {
    if (request.path !== path) return undefined
    if (request.method === 'GET' || request.method === 'HEAD') return show(registry, request.method)
    return text(405, 'metrics are read with GET', { allow: 'GET, HEAD' })
  }
}

async function show(registry: MetricRegistry, method: string): Promise<HttpResponse> {
  try {
    const body = await registry.metrics()
    const headers = { 'content-type': registry.contentType, 'cache-control': 'no-store' }
    return { status: 200, headers, body: method === 'HEAD' ? '' : body }
  } catch (error) {
    // Of a metric of the host: ours do not fail.
    return text(500, `a metric could not be read: ${reasonOf(error)}`)
  }
}

function text(status: number, body: string, headers: HttpResponse['headers'] = {}): HttpResponse {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8', ...headers }, body }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : describe(error)
}

function checkPath(value: unknown): string {
  const path = checkString(value, { name: 'path' })
  if (path.startsWith('/')) return path
  throw new MillraceError({
    code: 'MILLRACE_INVALID_OPTION',
    message: `path: expected one that begins with '/', got ${describe(value)}; give '/${path}'`,
  })
}
