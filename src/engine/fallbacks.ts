import { defaultTier } from '../pipeline/tier.ts'
import type { EngineEmitter } from './events.ts'
import type { PlacedFallback } from './place-stages.ts'
import type { EngineStats } from './stats.ts'

/** Knows which stages run on a fallback since that was chosen, and tells of these and of those whose device was lost. */
export class Fallbacks<Stages extends string> {
  readonly #events: EngineEmitter<Stages>
  readonly #stages: readonly string[]
  readonly #tierOf: (stage: string) => string
  readonly #moveOn: (stage: string, reason: string) => boolean
  /** Reasons by stage. Those of devices that are lost are the core's to know. */
  readonly #chosen = new Map<string, string>()

  constructor({
    events,
    stages,
    tierOf,
    moveOn,
  }: {
    readonly events: EngineEmitter<Stages>
    /** Names, as the core counts them. */
    readonly stages: readonly string[]
    /** What the configuration says now. */
    readonly tierOf: (stage: string) => string
    /** Has the next provider of a model take over; false where the stage runs on its fallback already. */
    readonly moveOn: (stage: string, reason: string) => boolean
  }) {
    this.#events = events
    this.#stages = stages
    this.#tierOf = tierOf
    this.#moveOn = moveOn
  }

  /** What an engine starts with: told when those who were given the engine may listen. */
  started(placed: readonly PlacedFallback[]): void {
    for (const { stage, reason } of placed) this.#chosen.set(stage, reason)
    if (placed.length > 0) setImmediate(() => this.#tell(placed))
  }

  /** What a configuration that is served now came to. */
  applied(placed: readonly PlacedFallback[], named: (stage: string) => boolean): void {
    for (const stage of this.#stages) if (named(stage)) this.#chosen.delete(stage)
    for (const { stage, reason } of placed) this.#chosen.set(stage, reason)
    this.#tell(placed)
  }

  /** Tells that the device of a stage is lost, without holding this, whose listeners may hold their engine: for the core. */
  weakly(): (stage: number, reason: string) => void {
    const held = new WeakRef(this)
    return (stage, reason) => held.deref()?.lost(stage, reason)
  }

  /** The statistics of the core, and what was chosen. */
  shownIn(stats: EngineStats<Stages>): EngineStats<Stages> {
    if (this.#chosen.size === 0) return stats
    const stages: EngineStats['stages'] = stats.stages
    const shown = [...this.#chosen].map(([name, fallback]) => {
      return [name, { ...stages[name], fallback }] as const
    })
    return { ...stats, stages: { ...stats.stages, ...Object.fromEntries(shown) } }
  }

  /** By the core's number of the stage. */
  lost(index: number, reason: string): void {
    const stage = this.#stages[index] as string // the core counts the same stages
    if (this.#moveOn(stage, reason)) return
    this.#tell([{ stage, before: this.#tierOf(stage), after: defaultTier('cpu'), reason }])
  }

  /** Another provider serves since the device of a model was lost. */
  moved(one: PlacedFallback): void {
    this.#chosen.set(one.stage, one.reason)
    this.#tell([one])
  }

  #tell(placed: readonly PlacedFallback[]): void {
    for (const one of placed) {
      this.#events.emit('fallback', { ...one, stage: one.stage as Stages })
    }
  }
}
