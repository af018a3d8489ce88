import { Readable } from 'node:stream'
import { Gauge, Registry } from 'prom-client'
import { describe, expect, it } from 'vitest'
import { Engine } from '../../src/engine/engine.ts'
import type { HttpRequest } from '../../src/http/message.ts'
import { metricsRoute } from '../../src/http/metrics-route.ts'
import { observeMetrics } from '../../src/observe/observe-metrics.ts'
import { fastAlone } from '../engine/pipelines.ts'
import { readExposition } from '../observe/exposition.ts'
import { errorOf } from '../unit/thrown.ts'

const request = (method: string, path: string): HttpRequest => ({
  method,
  path,
  query: '',
  headers: {},
  body: Readable.from([]),
  signal: new AbortController().signal,
})

describe('the route of metrics', () => {
  it("answers GET with the registry's text and type", async () => {
    await using engine = await Engine.start(fastAlone)
    const { registry } = observeMetrics(engine)
    const answer = await metricsRoute({ registry })(request('GET', '/metrics'))
    expect(answer).toMatchObject({
      status: 200,
      headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' },
    })
    expect(readExposition(answer?.body as string).has('millrace_requests_total')).toBe(true)
  })

  it('answers HEAD without a body', async () => {
    const answer = await metricsRoute({ registry: new Registry() })(request('HEAD', '/metrics'))
    expect(answer).toMatchObject({ status: 200, body: '' })
  })

  it('refuses other methods, and leaves other paths to others', async () => {
    const handler = metricsRoute({ registry: new Registry(), path: '/internal/metrics' })
    const answer = await handler(request('POST', '/internal/metrics'))
    expect(answer).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } })
    for (const path of ['/', '/metrics', '/internal/metrics/', '/internal/metrics/x']) {
      expect(handler(request('GET', path))).toBeUndefined()
    }
  })

  it('answers 500 where a metric of the host throws', async () => {
    const registry = new Registry()
    const collect = () => {
      throw new Error('no sensor')
    }
    new Gauge({ name: 'host', help: 'h', registers: [registry], collect })
    const answer = await metricsRoute({ registry })(request('GET', '/metrics'))
    expect(answer).toMatchObject({ status: 500, body: 'a metric could not be read: no sensor' })
  })

  it.each([
    [undefined, 'metricsRoute(): expected a plain object'],
    [{ registry: new Registry(), route: '/' }, 'metricsRoute(): unknown key "route"'],
    [{}, 'registry: expected a Registry of prom-client 15'],
    [{ registry: new Registry(), path: 'metrics' }, "begins with '/'"],
    [{ registry: new Registry(), path: 7 }, 'path: expected a string'],
  ])('refuses options that are none: %j', (options, message) => {
    const error = errorOf(() => metricsRoute(options as never))
    expect(error.code).toBe('MILLRACE_INVALID_OPTION')
    expect(error.message).toContain(message)
  })
})
