/** What a tuner did since it was started, and what it sees. */
export interface TunerStats {
  /** Whether it was started and not stopped. */
  readonly running: boolean
  /** Mean rate of requests that was planned for. */
  readonly plannedRatePerS: number
  /** How much traffic there is, as a factor: 1 is as much as was planned for. */
  readonly level: number
  /** How many requests arrived so far. */
  readonly arrivals: number
  /** Replicas of each stage that requests visit: those it has, or soon will have. */
  readonly replicas: Readonly<Record<string, number>>
  /** What arrived lately, by windows of the plan's envelope, shortest first. */
  readonly windows: readonly TunerWindow[]
  /** How many times replicas were added. */
  readonly scaleUps: number
  /** How many times replicas were removed. */
  readonly scaleDowns: number
  /** How many plans took the place of others. */
  readonly replans: number
  /** How many changes failed, and plannings. */
  readonly errors: number
  /** How many times the clock went back, or forward by too much. */
  readonly clockJumps: number
  /** Milliseconds after a change in which no replica goes, as it is now. */
  readonly quietMs: number
  /** Why replicas were changed last; undefined where they never were. */
  readonly lastReason: string | undefined
  /** Milliseconds that deciding took with an arrival that was too many, what was asked of the engine for it included. */
  readonly decideMs: {
    /** How many times it was looked whether something must change. */
    readonly count: number
    /** Mean of the milliseconds; 0 where there are none. */
    readonly mean: number
    /** Milliseconds of the longest; 0 where there are none. */
    readonly max: number
  }
}

/** A window that ends now, by the rate in it. */
export interface TunerWindow {
  /** Its length. */
  readonly windowMs: number
  /** Requests a second that arrived in it. */
  readonly ratePerS: number
  /** The highest such rate since the tuner was started, or since its plan is served. */
  readonly highestPerS: number
  /** The highest such rate of the trace that was planned for. */
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
