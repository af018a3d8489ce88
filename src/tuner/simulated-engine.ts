import { checkNumber } from '../check.ts'
import type { TunedEngine } from './tuned-engine.ts'
import type { TunerTime } from './tuner-time.ts'

/** A simulation that goes step by step, as `Simulator.simulate()` makes it. */
export interface SteppedSimulation {
  /** Lets happen all that happens up to then. */
  advance(toMs: number): unknown
  setReplicas(stage: string, replicas: number): void
}

export interface SimulatedEngineOptions {
  readonly run: SteppedSimulation
  /** Those of the simulation. */
  readonly arrivalsMs: ArrayLike<number>
  /** What the simulation begins with. */
  readonly configuration: Readonly<Record<string, { readonly replicas: number }>>
  /** Milliseconds until an added replica serves, at least 0. Removed ones go at once. Default 0. */
  readonly activationMs?: number | undefined
}

/** Replicas of a stage from some moment on: those that are paid for, and those that serve. */
export interface ReplicaStep {
  readonly atMs: number
  readonly stage: string
  readonly paid: number
  readonly serving: number
}

interface Due {
  readonly atMs: number
  readonly act: () => void
}

/** An engine that is simulated, with a time of its own: what a `Tuner` tunes without a live one. */
export class SimulatedEngine implements TunedEngine {
  /** For the tuner's `time`. */
  readonly time: TunerTime
  /** Every change of replicas, in order; the first are those at the beginning. */
  readonly steps: ReplicaStep[] = []
  readonly #options: SimulatedEngineOptions
  readonly #activationMs: number
  readonly #paid = new Map<string, number>()
  readonly #serving = new Map<string, number>()
  readonly #listeners = new Set<() => void>()
  /** What is to happen, by time and then in the order in which it was asked for. */
  readonly #due: Due[] = []
  #nowMs = 0

  /** @throws {MillraceError} MILLRACE_INVALID_OPTION */
  constructor(options: SimulatedEngineOptions) {
    this.#options = options
    this.#activationMs = checkNumber(options.activationMs ?? 0, { name: 'activationMs', min: 0 })
    for (const [stage, { replicas }] of Object.entries(options.configuration)) {
      this.#paid.set(stage, replicas)
      this.#serve(stage, replicas)
    }
    this.time = {
      now: () => this.#nowMs,
      every: (periodMs, callback) => this.#every(periodMs, callback),
    }
  }

  /** Replicas that are paid for. */
  stats(): ReturnType<TunedEngine['stats']> {
    const stages = [...this.#paid].map(([name, replicas]) => [name, { replicas }] as const)
    return { stages: Object.fromEntries(stages) }
  }

  /** Fulfils at once, since time passes only in {@link play}. */
  async scale(stage: string, replicas: number): Promise<void> {
    const before = this.#paid.get(stage) ?? 0
    this.#paid.set(stage, replicas)
    if (replicas <= (this.#serving.get(stage) ?? 0) || this.#activationMs === 0) {
      this.#serve(stage, replicas)
      return
    }
    this.#note(stage)
    if (replicas > before) this.#activate(stage, replicas)
  }

  watchArrivals(listener: () => void): { stop(): void } {
    this.#listeners.add(listener)
    return { stop: () => this.#listeners.delete(listener) }
  }

  /**
   * Lets the trace arrive, and then time pass until `untilMs` (default: the last arrival). What a listener does at an
   * arrival counts from then on.
   */
  play({ untilMs }: { readonly untilMs?: number | undefined } = {}): void {
    const { arrivalsMs } = this.#options
    for (let at = 0; at < arrivalsMs.length; at++) {
      this.#passTo(arrivalsMs[at] as number) // within its length
      for (const listener of this.#listeners) listener()
    }
    this.#passTo(Math.max(this.#nowMs, untilMs ?? 0))
  }

  #passTo(toMs: number): void {
    for (;;) {
      const next = this.#due[0]
      if (next === undefined || next.atMs > toMs) break
      this.#due.shift()
      this.#moveTo(next.atMs)
      next.act()
    }
    this.#moveTo(toMs)
  }

  #moveTo(toMs: number): void {
    this.#nowMs = toMs
    this.#options.run.advance(toMs)
  }

  // Replicas become ready in the order in which they were asked for; some may have been sent away since.
  #activate(stage: string, replicas: number): void {
    this.#at(this.#nowMs + this.#activationMs, () => {
      const ready = Math.min(replicas, this.#paid.get(stage) ?? 0)
      if (ready > (this.#serving.get(stage) ?? 0)) this.#serve(stage, ready)
    })
  }

  #serve(stage: string, replicas: number): void {
    const before = this.#serving.get(stage)
    this.#serving.set(stage, replicas)
    if (before !== undefined && before !== replicas) this.#options.run.setReplicas(stage, replicas)
    this.#note(stage)
  }

  #note(stage: string): void {
    const [paid, serving] = [this.#paid.get(stage) ?? 0, this.#serving.get(stage) ?? 0]
    this.steps.push({ atMs: this.#nowMs, stage, paid, serving })
  }

  #every(periodMs: number, callback: () => void): { stop(): void } {
    let isOn = true
    const ring = (atMs: number): void => {
      this.#at(atMs, () => {
        if (!isOn) return
        callback()
        ring(atMs + periodMs)
      })
    }
    ring(this.#nowMs + periodMs)
    return {
      stop: () => {
        isOn = false
      },
    }
  }

  #at(atMs: number, act: () => void): void {
    const later = this.#due.findIndex((one) => one.atMs > atMs)
    this.#due.splice(later < 0 ? this.#due.length : later, 0, { atMs, act })
  }
}
