import { MillraceError } from '../errors.ts'
import type { ReplicaChange } from './decide.ts'
import type { TunedEngine } from './tuned-engine.ts'

/** The replicas that an engine has or soon will have, and what is under way to that. */
export class Replicas {
  readonly #engine: TunedEngine
  readonly #onError: (error: MillraceError) => void
  #counts = new Map<string, number>()
  readonly #pending = new Set<Promise<void>>()

  constructor(engine: TunedEngine, onError: (error: MillraceError) => void) {
    this.#engine = engine
    this.#onError = onError
    this.refresh()
  }

  get counts(): ReadonlyMap<string, number> {
    return this.#counts
  }

  /** What the engine has by now, which others may have changed; unless something is under way. */
  refresh(): void {
    if (this.#pending.size > 0) return
    const { stages } = this.#engine.stats()
    this.#counts = new Map(Object.entries(stages).map(([name, { replicas }]) => [name, replicas]))
  }

  /** Asks for the changes, all at once, and counts on them. */
  change(changes: readonly ReplicaChange[]): void {
    for (const { stage, after } of changes) {
      this.#counts.set(stage, after)
      void this.track(this.#scale(stage, after))
    }
  }

  /** Something else that changes replicas. Its error is told, and does not reject here. */
  track(change: Promise<unknown>): Promise<void> {
    const told = change.then(
      () => undefined,
      (error: unknown) => this.#onError(asMillraceError(error)),
    )
    const done = told.finally(() => this.#pending.delete(done))
    this.#pending.add(done)
    return done
  }

  async whenIdle(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending)
  }

  // Async, so that what is thrown rejects; its first step is taken at once.
  async #scale(stage: string, replicas: number): Promise<void> {
    await this.#engine.scale(stage, replicas)
  }
}

function asMillraceError(error: unknown): MillraceError {
  if (MillraceError.is(error)) return error
  const message = error instanceof Error ? error.message : String(error)
  return new MillraceError({
    code: 'MILLRACE_STAGE_FAILED',
    message: `a change by the tuner failed: ${message}`,
    cause: error,
  })
}
