/**
 * Engines in an Express 5 application: a middleware, a mount for handlers, and errors as answers. Loads nothing of Express
 * itself.
 *
 * @module millrace/express
 */
import type { Server } from 'node:http'
import { pipeline, Readable } from 'node:stream'
import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express'
import { checkObject } from '../check.ts'
import { MillraceError } from '../errors.ts'
import { type AdapterOptions, adapterKeys, readAdapterOptions } from './adapter-options.ts'
import { checkHandler } from './check-handler.ts'
import { errorReply } from './error-reply.ts'
import { healthHandler } from './health.ts'
import type { HttpHandler, HttpResponse } from './message.ts'
import { MountedRequest } from './mounted-request.ts'
import { replyBody } from './reply-body.ts'
import { RequestEngines } from './request-engines.ts'
import type { ServedEngine, ServedState } from './served-engines.ts'
import { shutDown } from './shut-down.ts'

export type { AdapterOptions } from './adapter-options.ts'
export type { HttpHandler, HttpRequest, HttpResponse } from './message.ts'
export type { RequestEngines, RouteInferOptions } from './request-engines.ts'
export type { EngineSource, ServedEngine, ServedState } from './served-engines.ts'

/**
 * The pipelines of the application's engines by name, for `req.millrace` to be typed; one that was given as `engine` is
 * called `default`:
 *
 *     declare module 'millrace/express' { interface Engines { default: typeof digits } }
 */
// biome-ignore lint/suspicious/noEmptyInterface: the application fills it
export interface Engines {}

declare global {
  namespace Express {
    interface Request {
      /** The engines; there behind the middleware of `millrace()`. */
      millrace: RequestEngines<Engines>
    }
  }
}

/** The middleware that gives requests their `millrace`, and what else an application needs of it. */
export interface MillraceMiddleware extends RequestHandler {
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
  /** Whether every engine takes requests, and nothing is being shut down. */
  readonly ready: boolean
  /** GET /live and GET /ready, to be mounted: `app.use('/health', mount(serving.health))`. */
  readonly health: HttpHandler
  /**
   * Shuts servers down without losing a request: tells clients that keep their connection to leave it, serves what comes
   * meanwhile, closes the servers, waits for the last answer, and closes the engines. For how long is said by `leaveMs` and
   * `timeoutMs`. May be called again; it is done once.
   *
   * @param servers Those of Node that the application listens with.
   * @returns Fulfils when all is closed; never rejects for requests that did not end in time.
   */
  shutdown(...servers: Server[]): Promise<void>
}

/**
 * Gives every request that passes it a `millrace`. One serves an application; it comes before the routes.
 *
 * @throws {MillraceError} MILLRACE_INVALID_OPTION
 */
export function millrace(options: AdapterOptions): MillraceMiddleware {
  const terms = readAdapterOptions(
    checkObject(options, { name: 'millrace options', keys: adapterKeys }),
  )
  const { engines, connections } = terms
  const handle: RequestHandler = (request, response, next) => {
    const connection = connections.of(request, response)
    request.millrace = new RequestEngines(terms, { connection, headers: request.headers })
    next()
  }
  let ending: Promise<void> | undefined
  const members = {
    engine: (name?: string) => engines.get(name),
    started: () => engines.started(),
    health: healthHandler(terms),
    shutdown: (...servers: Server[]) => {
      ending ??= shutDown(servers, terms)
      return ending
    },
  }
  return Object.defineProperties(Object.assign(handle, members), {
    states: { get: () => engines.states() },
    ready: { get: () => engines.ready && !connections.leaving },
  }) as MillraceMiddleware
}

/**
 * Serves a handler where it is mounted: `app.use('/inference', mount(handler))`. It reads the bodies itself, so it comes
 * before any parser of them, and behind `millrace()`.
 *
 * @throws {MillraceError} MILLRACE_INVALID_OPTION where `handler` is none; a request whose body was read already fails with
 * it, too
 */
export function mount(handler: HttpHandler): RequestHandler {
  const checked = checkHandler(handler, 'handler')
  return async (request, response, next) => {
    if (request.readableDidRead) throw bodyWasRead()
    const { url } = request
    const answer = await checked(new MountedRequest(request, { url, response }))
    if (answer === undefined) next()
    else send(answer, { request, response })
  }
}

/**
 * Answers errors of Millrace with their status, code and Retry-After, as JSON in the form that Fastify gives errors; passes
 * others on. It comes after the routes. Never throws.
 */
export function millraceErrors(): ErrorRequestHandler {
  return (error, _request, response, next) => {
    const reply = errorReply(error)
    if (reply === undefined || response.headersSent) next(error)
    else response.status(reply.status).set(reply.headers).json(reply.body)
  }
}

function send(
  { status, headers, body }: HttpResponse,
  { request, response }: { request: Request; response: Response },
): void {
  const connections = request.millrace && RequestEngines.connectionsOf(request.millrace)
  const sent = replyBody(body, connections)
  response.statusCode = status
  // Not `set`, which adds a charset to what is JSON.
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
  if (sent instanceof Readable) {
    // An error of the stream, or a client that left: the connection is closed then, and there is nobody to tell.
    pipeline(sent, response, () => {})
  } else {
    response.setHeader('content-length', sent.length)
    response.end(sent)
  }
}

function bodyWasRead(): MillraceError {
  return new MillraceError({
    code: 'MILLRACE_INVALID_OPTION',
    message:
      'mount: expected a body that nobody has read, got one that a parser has; ' +
      'mount the handler before express.json() and the like',
  })
}
