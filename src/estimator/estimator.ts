import { checkInteger, checkNumber, checkObject, checkOneOf, describe } from '../check.ts'
import { MillraceError } from '../errors.ts'
import type { ObjectiveOptions } from '../pipeline/objective.ts'
import { checkProfile } from '../profile/check-profile.ts'
import type { Hardware } from '../profile/hardware.ts'
import type { Profile } from '../profile/profile.ts'
import { checkHardware } from '../profile/read-hardware.ts'
import type { Trace } from '../workload/trace.ts'
import type { Estimate, PlannedConfiguration } from './estimate.ts'
import { Simulator } from './simulator.ts'

/** What an estimator is made of. */
export interface EstimatorOptions {
  /** What was measured of the pipeline. */
  readonly profile: Profile
  /** Tiers, their prices and their power. */
  readonly hardware: Hardware
  /** Chooses the path that each request takes, and service times that are drawn: an integer from 0. Default 0. */
  readonly seed?: number | undefined
  /**
   * `mean`: a batch of a size always takes the same time (InferLine, section 4.2). `drawn`: it is drawn, each time, from
   * the spread that was measured. Default `mean`.
   */
  readonly serviceTimes?: 'mean' | 'drawn' | undefined
}

/** What is to be estimated. */
export interface EstimateOptions {
  /** When requests come. */
  readonly trace: Trace
  /** What is promised: requests within its `latencyMs` attain it. */
  readonly objective: ObjectiveOptions
  /** Aborting it rejects with MILLRACE_CANCELLED, whose `cause` is the signal's reason. Default: none. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Predicts what a configuration makes of a trace, by discrete-event simulation of the whole pipeline over the batching
 * policy of the engine (InferLine, SoCC 2020, section 4.2). Estimates are repeatable to the last bit.
 */
export class Estimator {
  readonly #profile: Profile
  readonly #hardware: Hardware
  readonly #seed: number
  readonly #drawn: boolean
  /** A trace is read once, however many configurations it is tried on. */
  readonly #simulators = new WeakMap<Trace, Simulator>()

  /**
   * Checks what it is given; nothing is simulated yet.
   *
   * @throws {MillraceError} MILLRACE_INVALID_FILE for a profile or hardware that is not as its format asks,
   * MILLRACE_INVALID_OPTION for another option that does not fit.
   */
  constructor(options: EstimatorOptions) {
    const name = 'Estimator'
    const given = checkObject(options, {
      name,
      keys: ['profile', 'hardware', 'seed', 'serviceTimes'],
    })
    const { seed = 0, serviceTimes = 'mean' } = given
    this.#profile = checkProfile(given.profile, 'profile')
    this.#hardware = checkHardware(given.hardware, 'hardware')
    this.#seed = checkInteger(seed, { name: `${name}, seed`, min: 0 })
    const choices = ['mean', 'drawn'] as const
    this.#drawn = checkOneOf(serviceTimes, { name: `${name}, serviceTimes`, choices }) === 'drawn'
  }

  /**
   * Simulates the configuration over the whole trace, on a native thread; also one that cannot keep up.
   *
   * @throws {MillraceError} (by rejecting) MILLRACE_INVALID_OPTION for a configuration that does not fit the profile and
   * the hardware, or an unusable trace or objective; MILLRACE_INVALID_FILE where the profile contradicts itself;
   * MILLRACE_CANCELLED.
   */
  async estimate(configuration: PlannedConfiguration, options: EstimateOptions): Promise<Estimate> {
    const given = checkObject(options, {
      name: 'estimate',
      keys: ['trace', 'objective', 'signal'],
    })
    const latencyMs = checkLatency(given.objective)
    const signal = checkSignal(given.signal)
    const simulator = this.#simulatorOf(given.trace)
    const drawn = this.#drawn
    const [estimate] = await simulator.estimate([configuration], { latencyMs, drawn, signal })
    return estimate as Estimate // one for each configuration
  }

  #simulatorOf(trace: unknown): Simulator {
    const checked = checkTrace(trace)
    let simulator = this.#simulators.get(checked)
    if (simulator === undefined) {
      const [profile, hardware, seed] = [this.#profile, this.#hardware, this.#seed]
      simulator = new Simulator({ profile, hardware, trace: checked, seed })
      this.#simulators.set(checked, simulator)
    }
    return simulator
  }
}

function checkTrace(value: unknown): Trace {
  if (typeof value === 'object' && value !== null && 'arrivalsMs' in value) return value as Trace
  throw invalid(`trace: expected a Trace, got ${describe(value)}; make or load one`)
}

function checkLatency(objective: unknown): number {
  const keys = ['latencyMs', 'percentile'] as const
  const { latencyMs, percentile = 99 } = checkObject(objective, { name: 'objective', keys })
  checkNumber(percentile, { name: 'objective.percentile', above: 0, below: 100 })
  return checkNumber(latencyMs, { name: 'objective.latencyMs', above: 0 })
}

function checkSignal(signal: unknown): AbortSignal | undefined {
  if (signal === undefined || signal instanceof AbortSignal) return signal
  throw invalid(`signal: expected an AbortSignal, got ${describe(signal)}; give controller.signal`)
}

function invalid(message: string): MillraceError {
  return new MillraceError({ code: 'MILLRACE_INVALID_OPTION', message })
}
