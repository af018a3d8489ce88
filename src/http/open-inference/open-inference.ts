import type { HttpHandler, HttpRequest, HttpResponse } from '../message.ts'
import { errorAnswer, jsonAnswer } from './answer.ts'
import { findRoute, type Route } from './find-route.ts'
import { type InferLimits, infer } from './infer.ts'
import { ModelShelf } from './model-shelf.ts'
import { modelStats } from './model-stats.ts'
import {
  type OpenInferenceOptions,
  readOpenInferenceOptions,
  type ServedWith,
} from './open-inference-options.ts'
import { ProtocolError } from './protocol-error.ts'
import type { ServedModel } from './served-model.ts'

const extensions = ['binary_tensor_data', 'statistics', 'model_repository']
const gets = ['GET', 'HEAD']
const posts = ['POST']

/**
 * The Open Inference Protocol (KServe V2) over these engines, with the extensions for binary tensor data, for statistics
 * and for the index of the repository: every path that begins with /v2. `src/http/open-inference/README.md` says what each
 * route answers, with which status. The engines stay the caller's: nothing here closes them.
 *
 * @example
 * const handler = openInference({ models: { digits: engine, accurate: Engine.start(stagePipeline(digits, 'accurate')) } })
 * @throws {MillraceError} MILLRACE_INVALID_OPTION
 */
export function openInference(options: OpenInferenceOptions): HttpHandler {
  const given = readOpenInferenceOptions(options)
  const server = new Server(given)
  return (request) => server.answer(request)
}

class Server {
  readonly #given: ServedWith
  readonly #limits: InferLimits
  readonly #models: ModelShelf
  readonly #metadata: string

  constructor(given: ServedWith) {
    const { name, version, maxBodyBytes, bodyTimeoutMs, deadlineHeader } = given
    this.#given = given
    this.#limits = { maxBytes: maxBodyBytes, timeoutMs: bodyTimeoutMs, deadlineHeader }
    this.#models = new ModelShelf(given)
    this.#metadata = JSON.stringify({ name, version, extensions })
  }

  answer(request: HttpRequest): HttpResponse | Promise<HttpResponse> | undefined {
    try {
      // The usual case first: nothing is taken apart for it.
      const model = request.method === 'POST' ? this.#models.byInferPath(request.path) : undefined
      if (model !== undefined) return this.#infer(model, request)
      const route = findRoute(request.path, (name) => this.#models.has(name))
      return route && this.#answerRoute(route, request)
    } catch (error) {
      return errorAnswer(error, this.#given.onError)
    }
  }

  async #infer(model: ServedModel, request: HttpRequest): Promise<HttpResponse> {
    try {
      return await infer(model.face, request, this.#limits)
    } catch (error) {
      return errorAnswer(error, this.#given.onError)
    }
  }

  #answerRoute(route: Route, request: HttpRequest): HttpResponse | Promise<HttpResponse> {
    if (route.kind === 'nothing') {
      throw new ProtocolError(
        404,
        `there is nothing at ${JSON.stringify(request.path.slice(0, 200))}`,
      )
    }
    if (route.kind === 'unsupported') {
      throw new ProtocolError(501, `this server does not have ${route.what}`)
    }
    const posted = route.kind === 'infer' || route.kind === 'index'
    checkMethod(request.method, posted ? posts : gets)
    switch (route.kind) {
      case 'live':
        return jsonAnswer('{"live":true}')
      case 'ready':
        return this.#models.readiness()
      case 'server':
        return jsonAnswer(this.#metadata)
      case 'list':
        return jsonAnswer(JSON.stringify({ models: this.#models.names }))
      case 'index':
        return this.#index(request)
      case 'all-stats':
        return statsAnswer(this.#models.started())
      case 'model':
        return jsonAnswer(this.#models.find(route).face.metadata)
      case 'model-ready':
        return this.#models.readinessOf(this.#models.find(route))
      case 'stats':
        return statsAnswer([this.#models.find(route)])
      case 'infer':
        return this.#infer(this.#models.find(route), request)
    }
  }

  async #index(request: HttpRequest): Promise<HttpResponse> {
    try {
      return jsonAnswer(JSON.stringify(await this.#models.index(request, this.#limits)))
    } catch (error) {
      return errorAnswer(error, this.#given.onError)
    }
  }
}

function statsAnswer(models: readonly ServedModel[]): HttpResponse {
  return jsonAnswer(JSON.stringify({ model_stats: models.map(({ face }) => modelStats(face)) }))
}

function checkMethod(method: string, allowed: readonly string[]): void {
  if (allowed.includes(method)) return
  const allow = allowed.join(', ')
  throw new ProtocolError(405, `${method} is not a method of this path; use ${allow}`, { allow })
}
