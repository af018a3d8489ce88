import { describe } from '../check.ts'
import { MillraceError } from '../errors.ts'
import type { Plan } from '../planner/plan.ts'
import { Trace } from '../workload/trace.ts'
import type { TunedEngine } from './tuned-engine.ts'
import type { Replan } from './tuner-options.ts'

type Recording = ReturnType<NonNullable<TunedEngine['recordArrivals']>>

/** Waits until a change has lasted, recording arrivals meanwhile, and has a new plan made in the background. */
export class Replanner {
  readonly #engine: TunedEngine
  readonly #replan: Replan
  readonly #afterMs: number
  readonly #stopping = new AbortController()
  #changedMs = 0
  #recording: Recording | undefined
  #planning = false

  constructor(
    engine: TunedEngine,
    { replan, afterMs }: { readonly replan: Replan; readonly afterMs: number },
  ) {
    this.#engine = engine
    this.#replan = replan
    this.#afterMs = afterMs
  }

  /**
   * A look at whether replicas are others than the plan's.
   *
   * @returns What is being planned, where the change has lasted for long enough. Rejects with a MillraceError.
   */
  look(given: {
    readonly nowMs: number
    readonly isChanged: boolean
    readonly plan: Plan
  }): Promise<Plan | undefined> | undefined {
    const { nowMs, isChanged, plan } = given
    if (this.#planning || this.#stopping.signal.aborted) return undefined
    if (!isChanged) {
      this.#endRecording()
      return undefined
    }
    if (this.#recording === undefined) return this.#begin(nowMs)
    if (nowMs - this.#changedMs < this.#afterMs) return undefined
    return this.#plan(plan)
  }

  stop(): void {
    this.#endRecording()
    this.#stopping.abort()
  }

  #begin(nowMs: number): Promise<undefined> | undefined {
    this.#changedMs = nowMs
    try {
      this.#recording = this.#engine.recordArrivals?.()
      return undefined
    } catch (error) {
      // It is closed, or closing.
      return Promise.reject(planningFailed(error))
    }
  }

  async #plan(plan: Plan): Promise<Plan | undefined> {
    const recorded = this.#endRecording()
    if (recorded === undefined || recorded.arrivalsMs.length === 0) return undefined
    this.#planning = true
    try {
      const { arrivalsMs, durationMs } = recorded
      const trace = new Trace({ arrivalsMs, meta: { durationMs } })
      const { signal } = this.#stopping
      const next = await this.#replan({ trace, plan, signal })
      return signal.aborted ? undefined : next
    } catch (error) {
      throw planningFailed(error)
    } finally {
      this.#planning = false
    }
  }

  #endRecording(): ReturnType<Recording['stop']> | undefined {
    const recorded = this.#recording?.stop()
    this.#recording = undefined
    return recorded
  }
}

function planningFailed(error: unknown): MillraceError {
  if (MillraceError.is(error)) return error
  return new MillraceError({
    code: 'MILLRACE_INVALID_OPTION',
    message: `replan: expected a plan or undefined, got ${describe(error)} thrown; the plan before goes on`,
    cause: error,
  })
}
