import { suggest } from '../../check.ts'
import type { HttpRequest, HttpResponse } from '../message.ts'
import { jsonAnswer } from './answer.ts'
import type { ServedWith } from './open-inference-options.ts'
import { badRequest, ProtocolError } from './protocol-error.ts'
import { type BodyLimits, readBody } from './read-body.ts'
import { onlyVersion, ServedModel } from './served-model.ts'

const ready = jsonAnswer('{"ready":true}')
const mostIndexBytes = 1 << 16

/** The models that are served, by name. */
export class ModelShelf {
  readonly names: readonly string[]
  readonly #models: ReadonlyMap<string, ServedModel>
  readonly #byInferPath: ReadonlyMap<string, ServedModel>

  constructor({ models, onError }: Pick<ServedWith, 'models' | 'onError'>) {
    this.names = [...models.keys()]
    this.#models = new Map(
      [...models].map(([name, engine]) => [name, new ServedModel(name, { engine, onError })]),
    )
    this.#byInferPath = new Map(
      [...this.#models].map(([name, model]) => [
        `/v2/models/${encodeURIComponent(name)}/infer`,
        model,
      ]),
    )
  }

  has(name: string): boolean {
    return this.#models.has(name)
  }

  /** The model whose infer route is exactly that path, where it is written as it usually is. */
  byInferPath(path: string): ServedModel | undefined {
    return this.#byInferPath.get(path)
  }

  /** @throws {ProtocolError} 404 */
  find({ model: name, version }: { model: string; version: string | undefined }): ServedModel {
    const model = this.#models.get(name)
    if (model === undefined) {
      const asked = JSON.stringify(name.slice(0, 200))
      throw new ProtocolError(404, `there is no model ${asked}; ${suggest(name, this.names)}`)
    }
    if (version === undefined || version === onlyVersion) return model
    const asked = JSON.stringify(version.slice(0, 40))
    throw new ProtocolError(
      404,
      `model ${JSON.stringify(name)} has version ${onlyVersion} alone, not ${asked}`,
    )
  }

  /** Those that have started, whatever became of them. */
  started(): readonly ServedModel[] {
    return [...this.#models.values()].filter((model) => model.hasStarted)
  }

  /** Whether all serve. */
  readiness(): HttpResponse {
    for (const { unready } of this.#models.values()) {
      if (unready !== undefined) return notReady({ ready: false, error: unready.reason })
    }
    return ready
  }

  readinessOf({ name, unready }: ServedModel): HttpResponse {
    if (unready === undefined) return jsonAnswer(JSON.stringify({ name, ready: true }))
    return notReady({ name, ready: false, error: unready.reason })
  }

  /** Triton's index: all models, or those that are ready where the request asks for these. */
  async index(request: HttpRequest, limits: BodyLimits): Promise<readonly object[]> {
    const text: Uint8Array[] = []
    const sink = { write: (chunk: Uint8Array) => text.push(chunk) < 0 }
    const maxBytes = Math.min(mostIndexBytes, limits.maxBytes)
    await readBody(request.body, sink, { ...limits, maxBytes })
    const readyOnly = asksForReady(Buffer.concat(text).toString())
    const all = [...this.#models.values()].map(({ name, unready }) => {
      return {
        name,
        version: onlyVersion,
        state: unready?.state ?? 'READY',
        reason: unready?.reason ?? '',
      }
    })
    return readyOnly ? all.filter(({ state }) => state === 'READY') : all
  }
}

function asksForReady(body: string): boolean {
  if (body.trim() === '') return false
  try {
    const asked: unknown = JSON.parse(body)
    return typeof asked === 'object' && asked !== null && 'ready' in asked && asked.ready === true
  } catch {
    throw badRequest('the request: expected JSON such as {"ready": true}, or nothing')
  }
}

function notReady(body: object): HttpResponse {
  return jsonAnswer(JSON.stringify(body), 503)
}
