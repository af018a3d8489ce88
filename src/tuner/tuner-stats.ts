/** What a tuner did since it was started, and what it sees. */
export interface TunerStats {
  readonly running: boolean
  /** Mean rate that was planned for. */
  readonly plannedRatePerS: number
  /** How much traffic there is: 1 is as much as was planned for. */
  readonly level: number
  /** Arrivals so far. */
  readonly arrivals: number
  /** Of each stage that requests visit: those it has, or soon will have. */
  readonly replicas: Readonly<Record<string, number>>
  readonly windows: readonly TunerWindow[]
  readonly scaleUps: number
  readonly scaleDowns: number
  /** Plans that took the place of others. */
  readonly replans: number
  /** Changes that failed, and plannings that did. */
  readonly errors: number
  readonly clockJumps: number
  /** Milliseconds after a change in which no replica goes, as it is now. */
  readonly quietMs: number
  /** Why replicas were changed last; undefined where they never were. */
  readonly lastReason: string | undefined
  /** Milliseconds from an arrival that was too many to what was asked of the engine for it. */
  readonly decideMs: { readonly count: number; readonly mean: number; readonly max: number }
}

/** A window that ends now, by the rate in it. */
export interface TunerWindow {
  readonly windowMs: number
  readonly ratePerS: number
  /** The highest since the tuner was started. */
  readonly highestPerS: number
  readonly plannedPerS: number
}

/** How long decisions took. */
export class DecisionTimes {
  #count = 0
  #sumMs = 0
  #maxMs = 0

  add(durationMs: number): void {
    this.#count++
    this.#sumMs += durationMs
    this.#maxMs = Math.max(this.#maxMs, durationMs)
  }

  get summary(): TunerStats['decideMs'] {
    return { count: this.#count, mean: this.#sumMs / Math.max(1, this.#count), max: this.#maxMs }
  }
}
