import type { EngineHistograms } from '../engine/histograms.ts'
import type { EngineStats } from '../engine/stats.ts'

/** What an engine counted until some moment. */
export interface LiveReading {
  /** Of a clock that never goes back. */
  readonly atMs: number
  readonly stats: EngineStats
  /** Counted up to `recentBounds`. */
  readonly histograms: EngineHistograms
}

/** Readings of the last moments, to see what is recent: back to the last one that is as old as the window. */
export class LiveReadings {
  readonly #windowMs: number
  readonly #kept: LiveReading[] = []

  constructor(windowMs: number) {
    this.#windowMs = windowMs
  }

  /** Oldest first: all that the window touches. */
  get all(): readonly LiveReading[] {
    return this.#kept
  }

  get newest(): LiveReading | undefined {
    return this.#kept.at(-1)
  }

  add(reading: LiveReading): void {
    this.#kept.push(reading)
    const from = reading.atMs - this.#windowMs
    const base = this.#kept.findLastIndex(({ atMs }) => atMs <= from)
    if (base > 0) this.#kept.splice(0, base)
  }
}
