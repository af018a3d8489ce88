/**
 * Engines in a Fastify 5 application: a plugin, and one that mounts handlers. Loads nothing of Fastify itself.
 *
 * @module millrace/fastify
 */
import type {
  FastifyInstance,
  FastifyPluginAsync,
  FastifyPluginCallback,
  FastifyReply,
  FastifyRequest,
} from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { checkObject, checkRecord, checkString, describe } from '../check.ts'
import { MillraceError } from '../errors.ts'
import {
  type AdapterOptions,
  type AdapterTerms,
  adapterKeys,
  readAdapterOptions,
} from './adapter-options.ts'
import { checkHandler } from './check-handler.ts'
import { Connections } from './connections.ts'
import { healthHandler } from './health.ts'
import type { HttpHandler } from './message.ts'
import { MountedRequest } from './mounted-request.ts'
import { replyBody } from './reply-body.ts'
import { RequestEngines } from './request-engines.ts'
import type { ServedEngine, ServedState } from './served-engines.ts'

export type { AdapterOptions } from './adapter-options.ts'
export type { HttpHandler, HttpRequest, HttpResponse } from './message.ts'
export type { RequestEngines, RouteInferOptions } from './request-engines.ts'
export type { EngineSource, ServedEngine, ServedState } from './served-engines.ts'

const keys = [...adapterKeys, 'health', 'mount'] as const
const connectionsKey = Symbol('millrace.connections')
// Not OPTIONS: that is for whatever answers preflights in the application.
const mountedMethods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']

/**
 * The pipelines of the application's engines by name, for `request.millrace` to be typed; one that was given as `engine`
 * is called `default`:
 *
 *     declare module 'millrace/fastify' { interface Engines { default: typeof digits } }
 */
// biome-ignore lint/suspicious/noEmptyInterface: the application fills it
export interface Engines {}

/** What the plugin is told. */
export interface MillraceFastifyOptions extends AdapterOptions {
  /**
   * Where GET PREFIX/live and GET PREFIX/ready are answered; ready once every engine has started and is warm, until the
   * application begins to close. Default: nowhere.
   */
  readonly health?: string | undefined
  /** Handlers by the prefix they are mounted under, such as `{ '/inference': openInference({ models }) }`. Default: none. */
  readonly mount?: Readonly<Record<string, HttpHandler>> | undefined
}

/** `app.millrace`: the engines of this scope. */
export interface MillraceInstance {
  /**
   * An engine by its name, or the only one.
   *
   * @param name A key of `engines`; needed where there are several. Default: the only one.
   * @throws {MillraceError} MILLRACE_NOT_READY, MILLRACE_INVALID_OPTION where there is none of that name
   */
  engine(name?: string): ServedEngine
  /**
   * Fulfils when every engine has started.
   *
   * @throws {MillraceError} (by rejecting) MILLRACE_NOT_READY as soon as one could not
   */
  started(): Promise<void>
  /** What became of each engine, by name. */
  readonly states: Readonly<Record<string, ServedState>>
  /** Whether every engine takes requests, and the application is not closing. */
  readonly ready: boolean
}

declare module 'fastify' {
  interface FastifyInstance {
    /** The engines; there in scopes that registered `millrace`, and within them. */
    readonly millrace: MillraceInstance
  }
  interface FastifyRequest {
    /** The engines, as this request sees them. */
    millrace: RequestEngines<Engines>
  }
}

/**
 * Adds `app.millrace` and `request.millrace` to the scope it is registered in, and to those within. Errors of Millrace, also
 * those that routes throw themselves, are answered by Fastify with their status, code and Retry-After. The engines are
 * closed with the application, after the last request was answered. With Fastify's `return503OnClosing: false`, requests
 * that come while it closes are answered as well.
 *
 * @throws {MillraceError} (when it is registered) MILLRACE_INVALID_OPTION
 */
export const millrace: FastifyPluginAsync<MillraceFastifyOptions> = fastifyPlugin(register, {
  name: 'millrace',
  fastify: '5.x',
})

/**
 * A plugin that serves a handler under the `prefix` that it is registered with. No parser of Fastify touches the bodies.
 *
 * @throws {MillraceError} MILLRACE_INVALID_OPTION
 */
export function mount(handler: HttpHandler): FastifyPluginCallback {
  const checked = checkHandler(handler, 'handler')
  return (scope, _options, done) => {
    mountHandler(scope, { handler: checked, connections: connectionsOf(scope) })
    done()
  }
}

async function register(app: FastifyInstance, options: MillraceFastifyOptions): Promise<void> {
  const given = checkObject(options, { name: 'millrace options', keys })
  if (Object.hasOwn(app, 'millrace')) throw registeredTwice()
  const terms = readAdapterOptions(given)
  const handlers = checkMounts(given.mount ?? {})
  const { connections } = terms
  if (given.health !== undefined) {
    handlers.set(checkPrefix(given.health, 'health'), healthHandler(terms))
  }
  connections.watch(app.server)
  app.decorate(connectionsKey, connections)
  app.decorate('millrace', instanceOf(terms))
  // Within a scope that has it already, the hook of this one comes later and counts.
  if (!app.hasRequestDecorator('millrace')) app.decorateRequest('millrace')
  app.addHook('onRequest', (request, reply, done) => {
    const connection = connections.of(request.raw, reply.raw)
    request.millrace = new RequestEngines(terms, { connection, headers: request.raw.headers })
    done()
  })
  closeWith(app, terms)
  for (const [prefix, handler] of handlers) await app.register(mount(handler), { prefix })
}

function instanceOf({ engines, connections }: AdapterTerms): MillraceInstance {
  return {
    engine: (name) => engines.get(name),
    started: () => engines.started(),
    get states() {
      return engines.states()
    },
    get ready() {
      return engines.ready && !connections.leaving
    },
  }
}

function closeWith(app: FastifyInstance, terms: AdapterTerms): void {
  const { connections } = terms
  let timer: NodeJS.Timeout | undefined
  app.addHook('preClose', async () => {
    await connections.leave(terms.leaveMs)
    timer = setTimeout(() => connections.destroy(), terms.timeoutMs)
  })
  // After the server has closed, thus when every request is answered.
  app.addHook('onClose', async () => {
    clearTimeout(timer)
    if (terms.closeEngines) await terms.engines.close(terms.timeoutMs)
  })
}

/** Those of the scope, or of its own where the handler is mounted in an application without engines. */
function connectionsOf(scope: FastifyInstance): Connections {
  const inherited = (scope as { [connectionsKey]?: Connections })[connectionsKey]
  if (inherited !== undefined) return inherited
  const connections = new Connections()
  scope.addHook('onRequest', (request, reply, done) => {
    connections.of(request.raw, reply.raw)
    done()
  })
  scope.addHook('preClose', () => connections.leave(0))
  return connections
}

function mountHandler(
  scope: FastifyInstance,
  { handler, connections }: { handler: HttpHandler; connections: Connections },
): void {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', (_request, _body, done) => done(null))
  const answer = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const url = (request.raw.url ?? '/').slice(scope.prefix.length)
    const response = await handler(new MountedRequest(request.raw, { url, response: reply.raw }))
    if (response === undefined) {
      reply.callNotFound()
      return reply
    }
    reply.code(response.status).headers(response.headers)
    return reply.send(replyBody(response.body, connections))
  }
  for (const url of ['/', '/*']) {
    scope.route({ method: mountedMethods, url, exposeHeadRoute: false, handler: answer })
  }
}

function checkMounts(given: unknown): Map<string, HttpHandler> {
  const mounts = Object.entries(checkRecord(given, { name: 'mount' }))
  return new Map(
    mounts.map(([prefix, handler]) => [
      checkPrefix(prefix, 'mount'),
      checkHandler(handler, `mount["${prefix}"]`),
    ]),
  )
}

function checkPrefix(value: unknown, name: string): string {
  const prefix = checkString(value, { name })
  if (prefix === '/') return ''
  if (/^(\/[\w.~%-]+)+$/.test(prefix)) return prefix
  throw new MillraceError({
    code: 'MILLRACE_INVALID_OPTION',
    message: `${name}: expected a prefix, got ${describe(prefix)}; give a path such as "/inference", without parameters`,
  })
}

function registeredTwice(): MillraceError {
  return new MillraceError({
    code: 'MILLRACE_INVALID_OPTION',
    message:
      'millrace: expected to be registered once in a scope, got a second time; ' +
      'give all engines at once by name, or register it in a scope of its own',
  })
}
