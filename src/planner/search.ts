import type { Traffic } from './bounds.ts'
import { type Candidate, costPerHour, priceGrain } from './choice.ts'
import type { Judge } from './judge.ts'
import type { SearchSpace } from './search-space.ts'

/** What every strategy is given. */
export interface Search {
  readonly space: SearchSpace
  readonly traffic: Traffic
  readonly judge: Judge
  readonly ruledOut: RuledOut
  readonly report: (progress: SearchProgress) => void
}

export interface SearchProgress {
  readonly phase: string
  /** Of the cheapest plan found so far. */
  readonly costPerHour?: number | undefined
  /** No plan is cheaper. */
  readonly boundPerHour?: number | undefined
}

/** Configurations that need no simulation of their own, by what ruled them out. */
export class RuledOut {
  readonly #counts = new Map<string, number>()

  add(by: string, count: number): void {
    if (count > 0) this.#counts.set(by, (this.#counts.get(by) ?? 0) + count)
  }

  clear(): void {
    this.#counts.clear()
  }

  toJSON(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1)))
  }
}

/** The cheapest candidate so far that meets the objective. */
export class Incumbent {
  #candidate: Candidate | undefined
  #costPerHour: number

  /** Nothing as dear as this is taken. */
  constructor(belowPerHour = Number.POSITIVE_INFINITY) {
    this.#costPerHour = belowPerHour
  }

  get candidate(): Candidate | undefined {
    return this.#candidate
  }

  /** What a candidate has to be cheaper than. */
  get costPerHour(): number {
    return this.#costPerHour
  }

  offer(candidate: Candidate): void {
    const cost = costPerHour(candidate)
    if (cost >= this.#costPerHour - priceGrain) return
    this.#candidate = candidate
    this.#costPerHour = cost
  }
}
