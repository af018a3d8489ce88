import { nowMs } from '../clock.ts'

/** Requests that were not served so that others could be, since the last time that was told. */
export interface Shed {
  /** All of them. */
  readonly requests: number
  /** Those of them that were accepted, and dropped by a stage, by its name. */
  readonly stages: Readonly<Record<string, number>>
}

const intervalMs = 1_000

/** Tells of shed requests, at most once a second while there are any. Keeps no process alive. */
export class ShedReporter {
  readonly #tell: (shed: Shed) => void
  #requests = 0
  // No plain object: a stage may be called 'constructor'.
  readonly #stages = new Map<string, number>()
  #nextMs = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined

  constructor(tell: (shed: Shed) => void) {
    this.#tell = tell
  }

  /** One request more; by a stage, or refused before it was in any. */
  count(stage: string | undefined): void {
    this.#requests++
    if (stage !== undefined) this.#stages.set(stage, (this.#stages.get(stage) ?? 0) + 1)
    // Also the first is told later, and not from within the call of whoever is refused.
    this.#timer ??= setTimeout(
      () => this.flush(),
      Math.max(0, Math.ceil(this.#nextMs - nowMs())),
    ).unref()
  }

  /** Tells now what has not been told. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#requests === 0) return
    const shed = { requests: this.#requests, stages: Object.fromEntries(this.#stages) }
    this.#requests = 0
    this.#stages.clear()
    this.#nextMs = nowMs() + intervalMs
    this.#tell(shed)
  }

  /** Counts without holding this reporter, whose listeners may hold their engine: for what the core holds. */
  weakly(): (stage: string) => void {
    const held = new WeakRef(this)
    return (stage) => held.deref()?.count(stage)
  }
}
