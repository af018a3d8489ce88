import type { Engine } from '../../engine/engine.ts'
import { MillraceError } from '../../errors.ts'
import { ModelFace } from './model-face.ts'
import { ProtocolError } from './protocol-error.ts'

/** The only version there is of any model. */
export const onlyVersion = '1'

/** Why a model does not serve, in the words and the states of Triton's repository index. */
export interface Unready {
  readonly state: 'LOADING' | 'UNLOADING' | 'UNAVAILABLE'
  readonly reason: string
}

interface Started {
  readonly engine: Engine | PromiseLike<Engine>
  /** Told where it does not start. */
  readonly onError: (error: unknown) => void
}

/** A model by its name, whose engine may be on its way. */
export class ServedModel {
  readonly name: string
  #face: ModelFace | undefined
  #failure: string | undefined
  readonly #onError: (error: unknown) => void

  constructor(name: string, { engine, onError }: Started) {
    this.name = name
    this.#onError = onError
    if ('then' in engine) engine.then(this.#started, this.#failed)
    else this.#started(engine)
  }

  get hasStarted(): boolean {
    return this.#face !== undefined
  }

  /** Undefined where it serves. */
  get unready(): Unready | undefined {
    const name = `model ${JSON.stringify(this.name)}`
    if (this.#failure !== undefined) {
      return { state: 'UNAVAILABLE', reason: `${name} did not start: ${this.#failure}` }
    }
    if (this.#face === undefined) return { state: 'LOADING', reason: `${name} is starting` }
    const { state } = this.#face.engine
    if (state === 'serving') return undefined
    if (state === 'draining') return { state: 'UNLOADING', reason: `${name} is shutting down` }
    return { state: 'UNAVAILABLE', reason: `${name} is closed` }
  }

  /** Whatever state the engine is in, once it has started. @throws {ProtocolError} 503 */
  get face(): ModelFace {
    if (this.#face !== undefined) return this.#face
    const { state, reason } = this.unready as Unready
    throw new ProtocolError(503, reason, state === 'LOADING' ? { 'retry-after': '1' } : undefined)
  }

  readonly #started = (engine: Engine): void => {
    try {
      this.#face = new ModelFace(engine, { name: this.name, version: onlyVersion })
    } catch (error) {
      // What the promise gave was no engine.
      this.#failed(error)
    }
  }

  readonly #failed = (error: unknown): void => {
    this.#failure = MillraceError.is(error) ? error.message : 'an error that is not of Millrace'
    this.#onError(error)
  }
}
