import { EventEmitter } from 'node:events'
import type { MillraceError } from '../errors.ts'
import type { Plan } from '../planner/plan.ts'
import type { ReplicaChange } from './decide.ts'

/** What a tuner tells those who listen, by the name of the event. Times are milliseconds since it was started. */
export interface TunerEvents {
  /** Replicas are being added or removed. */
  readonly scale: {
    /** Milliseconds since the tuner was started. */
    readonly atMs: number
    /** Whether replicas are being added or removed. */
    readonly direction: 'up' | 'down'
    /** The stages concerned, those that are furthest from what they need first. */
    readonly changes: readonly ReplicaChange[]
    /** Why, such as `window 0.32 s: 214/s over 150/s planned -> accurate 2 to 3`. */
    readonly reason: string
  }
  /** Another plan is served, since traffic changed for good. */
  readonly replan: {
    /** Milliseconds since the tuner was started. */
    readonly atMs: number
    /** The plan that was tuned. */
    readonly before: Plan
    /** The plan that is tuned now. */
    readonly after: Plan
  }
  /** The clock went back, or forward by more than `longestGapMs`: no time has passed for the tuner. */
  readonly clock: {
    /** Milliseconds since the tuner was started. */
    readonly atMs: number
    /** Milliseconds by which it jumped; negative where it went back. */
    readonly jumpMs: number
  }
  /** A change failed, or planning anew did. The tuner goes on. Nothing happens where nobody listens. */
  readonly error: MillraceError
}

/** Told of events of one name. What it throws is uncaught, and keeps no other listener from being called. */
export type TunerListener<Event> = (event: Event) => void

/**
 * Listeners, called in the order in which they came, and never from within what they are told of: a listener may send
 * requests. One that throws keeps nobody else from anything.
 */
export class TunerEmitter {
  readonly #emitter = new EventEmitter()

  on<Name extends keyof TunerEvents>(name: Name, listener: TunerListener<TunerEvents[Name]>): void {
    this.#emitter.on(name, listener)
  }

  off<Name extends keyof TunerEvents>(
    name: Name,
    listener: TunerListener<TunerEvents[Name]>,
  ): void {
    this.#emitter.off(name, listener)
  }

  emit<Name extends keyof TunerEvents>(name: Name, event: TunerEvents[Name]): void {
    for (const listener of this.#emitter.listeners(name)) queueMicrotask(() => listener(event))
  }
}
