// The same application in each framework, so that one suite tests both adapters.
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express from 'express'
import Fastify, { type FastifyServerOptions } from 'fastify'
import { onTestFinished } from 'vitest'
import * as inExpress from '../../src/http/express.ts'
import type { AdapterOptions, HttpHandler, RequestEngines } from '../../src/http/fastify.ts'
import * as inFastify from '../../src/http/fastify.ts'

export const frameworks = ['fastify', 'express'] as const
export type Framework = (typeof frameworks)[number]

/** What a POST route does with a request; the body is JSON. */
export type Route = (engines: RequestEngines, body: unknown) => unknown

export interface AppOptions extends AdapterOptions {
  readonly routes?: Readonly<Record<string, Route>>
  readonly mount?: Readonly<Record<string, HttpHandler>>
  readonly health?: string
  /** Of Fastify alone. */
  readonly server?: FastifyServerOptions
}

export interface RunningApp {
  readonly url: string
  readonly port: number
  /** Shuts it down as its framework does. */
  close(): Promise<void>
  readonly ready: boolean
}

/** Listens on a port of its own until the test is finished. */
export async function startApp(framework: Framework, options: AppOptions): Promise<RunningApp> {
  const app = await listen(framework, options)
  onTestFinished(() => app.close())
  return app
}

/** Listens until it is closed. */
export function listen(framework: Framework, options: AppOptions): Promise<RunningApp> {
  return framework === 'fastify' ? startFastify(options) : startExpress(options)
}

async function startFastify({
  routes = {},
  server = {},
  ...options
}: AppOptions): Promise<RunningApp> {
  // Otherwise what comes while it closes is refused, which has a test of its own.
  const app = Fastify({ return503OnClosing: false, ...server })
  await app.register(inFastify.millrace, options)
  for (const [path, route] of Object.entries(routes)) {
    app.post(path, (request) => route(request.millrace, request.body))
  }
  await app.listen({ port: 0, host: '127.0.0.1' })
  const { port } = app.server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    close: () => app.close(),
    get ready() {
      return app.millrace.ready
    },
  }
}

async function startExpress({
  routes = {},
  mount = {},
  health,
  server: _server,
  ...options
}: AppOptions): Promise<RunningApp> {
  const app = express()
  const serving = inExpress.millrace(options)
  app.use(serving)
  if (health !== undefined) app.use(health, inExpress.mount(serving.health))
  for (const [prefix, handler] of Object.entries(mount)) app.use(prefix, inExpress.mount(handler))
  for (const [path, route] of Object.entries(routes)) {
    app.post(path, express.json({ limit: '1mb' }), async (request, response) => {
      response.json(await route(request.millrace, request.body))
    })
  }
  app.use(inExpress.millraceErrors())
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    close: () => serving.shutdown(server),
    get ready() {
      return serving.ready
    },
  }
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: unknown
}

/** One request on a connection of its own. */
export async function post(
  url: string,
  body: unknown,
  { headers = {}, signal }: { headers?: Record<string, string>; signal?: AbortSignal } = {},
): Promise<Answer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close', ...headers },
    body: JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: parsed(text) }
}

export async function get(url: string): Promise<Answer> {
  const response = await fetch(url, { headers: { connection: 'close' } })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: parsed(text) }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
