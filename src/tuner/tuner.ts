import { checkTunerOptions, type TunerTerms } from './check-tuner-options.ts'
import type { TunedEngine } from './tuned-engine.ts'
import { TunerEmitter, type TunerEvents, type TunerListener } from './tuner-events.ts'
import type { TunerOptions } from './tuner-options.ts'
import { TunerRun } from './tuner-run.ts'
import type { TunerStats } from './tuner-stats.ts'

/**
 * Keeps the objective of a plan while traffic leaves what it was made for (Crankshaw et al., "InferLine", SoCC 2020,
 * section 5): counts arrivals in windows of every length, adds replicas with the first arrival that is too many, and removes
 * them when it has been quiet. {@link TunerMethod} has what is of the paper and what is not. Decides by the arrivals and the
 * clock alone, so that a simulated engine and a live one are tuned alike.
 *
 * While it runs it holds the engine; it keeps no process alive.
 */
export class Tuner implements AsyncDisposable {
  readonly #engine: TunedEngine
  readonly #terms: TunerTerms
  readonly #events = new TunerEmitter()
  #run: TunerRun | undefined
  #last: TunerRun | undefined

  /**
   * Checks the options, and the plan against the engine; nothing happens before {@link start}.
   *
   * @throws {MillraceError} MILLRACE_INVALID_OPTION for an option that does not fit, or a plan for other stages than the
   * engine's; MILLRACE_INVALID_FILE for a plan that is none.
   */
  constructor(engine: TunedEngine, options: TunerOptions) {
    this.#engine = engine
    this.#terms = checkTunerOptions(options, engine)
  }

  /**
   * Begins, with the replicas that the engine has; does nothing where it has begun. After {@link stop} it begins anew.
   *
   * @throws {MillraceError} What the engine throws where it is closed: MILLRACE_CLOSED.
   */
  start(): this {
    this.#run ??= this.#begin()
    return this
  }

  /** Changes nothing any more; fulfils when what was asked of the engine is done, and never rejects. */
  async stop(): Promise<void> {
    const run = this.#run
    this.#run = undefined
    await run?.stop()
  }

  /** What it does and sees; after {@link stop}, what it did. */
  stats(): TunerStats {
    this.#last ??= new TunerRun(this.#engine, { terms: this.#terms, events: this.#events })
    return { ...this.#last.stats(), running: this.#run !== undefined }
  }

  /** Has a listener called with each event of that name. An 'error' that nobody listens to is ignored. */
  on<Name extends keyof TunerEvents>(name: Name, listener: TunerListener<TunerEvents[Name]>): this {
    this.#events.on(name, listener)
    return this
  }

  /** Ends what {@link on} began with the same listener. */
  off<Name extends keyof TunerEvents>(
    name: Name,
    listener: TunerListener<TunerEvents[Name]>,
  ): this {
    this.#events.off(name, listener)
    return this
  }

  /** As {@link stop}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  #begin(): TunerRun {
    const run = new TunerRun(this.#engine, { terms: this.#terms, events: this.#events })
    run.start({ onClosed: () => void this.stop() })
    this.#last = run
    return run
  }
}
