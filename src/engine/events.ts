import { EventEmitter } from 'node:events'
import type { MillraceError } from '../errors.ts'
import type { CompleteConfiguration } from '../pipeline/configuration.ts'
import { publishEvent } from './event-channels.ts'

/** What an engine tells those who listen, by the name of the event. */
export interface EngineEvents<Stages extends string = string> {
  /** A stage has another number of replicas. */
  readonly scale: {
    /** Name of the stage. */
    readonly stage: Stages
    /** Replicas it had. */
    readonly before: number
    /** Replicas it has now. */
    readonly after: number
  }
  /** A stage is served by another model, by `swap`. */
  readonly swap: {
    /** Name of the stage. */
    readonly stage: Stages
    /** Path of the model that served, or how many bytes it had. */
    readonly before: string
    /** Path of the model that serves now, or how many bytes it has. */
    readonly after: string
  }
  /** Another configuration is served. */
  readonly apply: {
    /** What was served, with nothing left out. */
    readonly before: CompleteConfiguration<Stages>
    /** What is served now, with nothing left out. */
    readonly after: CompleteConfiguration<Stages>
  }
  /**
   * Requests were refused, or dropped by a stage, for lack of room or of time: at most once a second, with those since
   * the last event. Requests whose deadline merely passed are not among them.
   */
  readonly shed: {
    /** How many requests since the last event. */
    readonly requests: number
    /** How many of them were accepted, and dropped by a stage later: only stages that did. */
    readonly stages: Readonly<Partial<Record<Stages, number>>>
  }
  /**
   * A stage runs on its fallback: the device on which it ran is lost, or what was wanted more cannot be used. Each time once,
   * before the request that found out is answered; of a model, which the next of its providers takes over, when that serves; of
   * what was chosen at the start, right after `Engine.start` fulfilled.
   */
  readonly fallback: {
    /** Name of the stage. */
    readonly stage: Stages
    /** The tier on which it ran, or was to run. Of a kernel `configuration` goes on to name one that was lost. */
    readonly before: string
    /** The tier on which it runs. */
    readonly after: string
    /** Why: what is missing, or how the device was lost. */
    readonly reason: string
  }
  /** It serves no more: every request is answered, and its models are freed. Once; listeners are given undefined. */
  readonly close: undefined
  /** A change failed and what was served before still is. Nothing happens where nobody listens. */
  readonly error: MillraceError
}

/** Told of events of one name. What it throws is uncaught, and keeps no other listener from being called. */
export type EngineListener<Event> = (event: Event) => void

/** Listeners, called in the order in which they came. One that throws keeps nobody else from anything. */
export class EngineEmitter<Stages extends string> {
  readonly #emitter = new EventEmitter()
  readonly #source: { readonly engine: object; readonly pipeline: string }

  constructor(source: { readonly engine: object; readonly pipeline: string }) {
    this.#source = source
  }

  on<Name extends keyof EngineEvents>(
    name: Name,
    listener: EngineListener<EngineEvents<Stages>[Name]>,
  ): void {
    this.#emitter.on(name, listener)
  }

  off<Name extends keyof EngineEvents>(
    name: Name,
    listener: EngineListener<EngineEvents<Stages>[Name]>,
  ): void {
    this.#emitter.off(name, listener)
  }

  emit<Name extends keyof EngineEvents>(name: Name, event: EngineEvents<Stages>[Name]): void {
    publishEvent(name, { ...this.#source, event })
    // Not the emitter's own emit: it throws where nobody listens to 'error'.
    for (const listener of this.#emitter.listeners(name)) {
      try {
        listener(event)
      } catch (error) {
        // Uncaught, as it would be in any other callback, and no failure of what is being told.
        process.nextTick(() => {
          throw error
        })
      }
    }
  }
}
