import { checkInteger, checkNumber, suggest } from '../check.ts'
import { MillraceError } from '../errors.ts'
import type { NativeSimulation } from '../native/simulator.ts'
import type { PlannedStage } from './estimate.ts'

/** A run up to now. */
export interface SimulatedStats {
  readonly nowMs: number
  /** Requests, so far. */
  readonly arrived: number
  readonly finished: number
  /** Finished later than the limit, or unfinished and older. */
  readonly late: number
  /** Of finished requests. */
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  readonly stages: Readonly<Record<string, SimulatedStageStats>>
}

export interface SimulatedStageStats {
  readonly replicas: number
  readonly waitingRows: number
  /** Rows whose batch has ended. */
  readonly visits: number
  readonly batches: number
  /** Share of the time that replicas ran batches, from the first arrival to now. */
  readonly utilization: number
  readonly queueP99Ms: number
}

/** The number that the addon knows a service by, and its replicas. */
type ServiceOf = (
  stage: string,
  planned: PlannedStage,
) => readonly [service: number, replicas: number]

/** A configuration on its way through a trace, which may change as it goes. Made by `Simulator.simulate()`. */
export class SimulatedRun {
  readonly #native: NativeSimulation
  readonly #stages: readonly string[]
  readonly #serviceOf: ServiceOf
  #nowMs = 0

  constructor(options: {
    readonly native: NativeSimulation
    readonly stages: readonly string[]
    readonly serviceOf: ServiceOf
  }) {
    this.#native = options.native
    this.#stages = options.stages
    this.#serviceOf = options.serviceOf
  }

  /**
   * Lets happen all that happens up to then, and then it is then; Infinity for all there is. False when nothing is left
   * to happen. Blocks: a million visits take some tenths of a second.
   *
   * @throws {MillraceError} MILLRACE_INVALID_OPTION for NaN or a time that has passed.
   */
  advance(toMs: number): boolean {
    if (toMs !== Number.POSITIVE_INFINITY) {
      this.#nowMs = checkNumber(toMs, { name: 'toMs', min: this.#nowMs })
    }
    return this.#native.advance(toMs)
  }

  /** From now on; what runs on replicas that go ends first. 0 is allowed: rows then wait. */
  setReplicas(stage: string, replicas: number): void {
    const at = this.#indexOf(stage)
    this.#native.setReplicas(at, checkInteger(replicas, { name: 'replicas', min: 0 }))
  }

  /** From the next batch on. */
  setStage(stage: string, planned: PlannedStage): void {
    const at = this.#indexOf(stage)
    this.#native.setService(at, ...this.#serviceOf(stage, planned))
  }

  /** Infinity as the limit where none is late. */
  stats({ latencyMs }: { readonly latencyMs: number }): SimulatedStats {
    const { stages, ...whole } = this.#native.report(latencyMs)
    const named = this.#stages.flatMap((name, at) => {
      const stage = stages[at]
      return stage === undefined ? [] : [[name, stage] as const]
    })
    return { ...whole, stages: Object.fromEntries(named) }
  }

  #indexOf(stage: string): number {
    const at = this.#stages.indexOf(stage)
    if (at >= 0) return at
    throw new MillraceError({
      code: 'MILLRACE_INVALID_OPTION',
      message: `the profile has no stage "${stage}"; ${suggest(stage, this.#stages)}`,
    })
  }
}
