import type { PlannedConfiguration } from '../estimator/estimate.ts'
import type { Hardware } from '../profile/hardware.ts'
import type { SimulatedEngine } from '../tuner/simulated-engine.ts'

const msPerHour = 3_600_000

/** Replicas of a simulated engine, added up over time: those that served, and what was paid. */
export class ReplicaTimes {
  readonly #engine: SimulatedEngine
  readonly #pricePerHour: ReadonlyMap<string, number>

  constructor(given: {
    readonly engine: SimulatedEngine
    readonly configuration: PlannedConfiguration
    readonly hardware: Hardware
  }) {
    const { engine, configuration, hardware } = given
    this.#engine = engine
    const prices = Object.entries(configuration).map(([stage, { tier }]) => {
      return [stage, hardware.tiers[tier]?.pricePerHour ?? 0] as const
    })
    this.#pricePerHour = new Map(prices)
  }

  /** Of all stages, that are paid for now. */
  get replicas(): number {
    const { stages } = this.#engine.stats()
    return Object.values(stages).reduce((sum, { replicas }) => sum + replicas, 0)
  }

  /** What was paid between two moments, in the currency of the prices. */
  paidSince(fromMs: number, toMs: number): number {
    let cost = 0
    for (const [stage, price] of this.#pricePerHour) {
      cost += (price * this.#sum(stage, { fromMs, toMs, count: 'paid' })) / msPerHour
    }
    return cost
  }

  /** Milliseconds of replicas of a stage that served, from the beginning until now. */
  servingMs(stage: string): number {
    return this.#sum(stage, { fromMs: 0, toMs: this.#engine.time.now(), count: 'serving' })
  }

  #sum(
    stage: string,
    {
      fromMs,
      toMs,
      count,
    }: { readonly fromMs: number; readonly toMs: number; readonly count: 'paid' | 'serving' },
  ): number {
    let [sum, sinceMs, replicas] = [0, fromMs, 0]
    for (const step of this.#engine.steps) {
      if (step.atMs >= toMs) break
      if (step.stage !== stage) continue
      if (step.atMs > sinceMs) {
        sum += replicas * (step.atMs - sinceMs)
        sinceMs = step.atMs
      }
      replicas = step[count]
    }
    return sum + replicas * (toMs - sinceMs)
  }
}
