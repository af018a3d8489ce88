import { availableParallelism } from 'node:os'
import { checkInteger } from '../check.ts'
import { MillraceError } from '../errors.ts'
import { loadAddon } from '../native/load.ts'
import { fromNative } from '../native/native-error.ts'
import type { NativeService, NativeSimulator } from '../native/simulator.ts'
import type { Hardware } from '../profile/hardware.ts'
import type { Profile } from '../profile/profile.ts'
import type { Trace } from '../workload/trace.ts'
import { checkArrivals } from './arrivals.ts'
import type { Estimate, PlannedConfiguration, PlannedStage } from './estimate.ts'
import { describePipeline } from './simulated-pipeline.ts'
import { SimulatedRun } from './simulated-run.ts'
import { type StageService, StageServices } from './stage-services.ts'
import { summarize } from './summarize.ts'

/** What a simulator is made of. */
export interface SimulatorOptions {
  readonly profile: Profile
  readonly hardware: Hardware
  readonly trace: Trace
  /**
   * The number of each request of the trace, by which its path is drawn. Default: 0, 1, 2, ...; others for a trace that was
   * put in another order, whose requests are to go the same ways.
   */
  readonly numbers?: Uint32Array | undefined
  /** Of the path each request takes, and of drawn service times; an integer from 0. Default 0. */
  readonly seed?: number | undefined
}

export interface CountOptions {
  readonly latencyMs: number
  readonly enough?: number | undefined
  readonly signal?: AbortSignal | undefined
}

export interface LateByBatch {
  readonly late: number
  /** Rows, in the order of the simulator's stages; 0 where a stage began none. */
  readonly largestBatches: readonly number[]
}

/**
 * A profile and a trace, for any number of configurations, which are tried side by side on native threads. The same
 * seed gives the same numbers, to the last bit, on however many threads.
 */
export class Simulator {
  /** Names of the stages, each after those it waits for. */
  readonly stages: readonly string[]
  /** Rows of each stage for a request, on average over the paths of the profile. */
  readonly visitsPerRequest: Readonly<Record<string, number>>
  readonly #native: NativeSimulator
  readonly #services: StageServices
  /** Numbers of the services that the addon was told of. */
  readonly #numbers = new Map<NativeService, number>()
  readonly #threads = availableParallelism()
  #runs = 0

  /**
   * Takes about 50 ms a million arrivals, on the calling thread.
   *
   * @throws {MillraceError} MILLRACE_INVALID_FILE where the profile contradicts itself, MILLRACE_INVALID_OPTION for a
   * trace that is empty or does not ascend.
   */
  constructor({ profile, hardware, trace, seed = 0, numbers }: SimulatorOptions) {
    const { stages, visitsPerRequest, spec } = describePipeline(profile)
    this.stages = stages
    this.visitsPerRequest = visitsPerRequest
    this.#services = new StageServices({ profile, hardware, stages })
    const arrivalsMs = checkArrivals(trace)
    const checkedSeed = checkInteger(seed, { name: 'seed', min: 0 })
    this.#native = fromAddon(() => {
      const requests = { arrivalsMs, numbers: numbers ?? new Uint32Array() }
      return loadAddon().createSimulator({ ...spec, ...requests, seed: checkedSeed })
    })
  }

  /**
   * For each configuration, how many requests take longer than `latencyMs`, counted up to the first beyond `enough`
   * (default: all): a configuration that fails is soon found out. Service times are means.
   *
   * @throws {MillraceError} As {@link StageServices.of} does; MILLRACE_CANCELLED when `signal` is aborted.
   */
  async countLate(
    configurations: readonly PlannedConfiguration[],
    options: CountOptions,
  ): Promise<Float64Array> {
    return await this.#count(configurations, { ...options, batches: false })
  }

  /**
   * As {@link countLate}, and what is to be known of other largest batches: where a stage never began a batch of its
   * `maxBatch`, the count is the same for any `maxBatch` that is no smaller than the largest batch it began.
   */
  async countLateByBatch(
    configurations: readonly PlannedConfiguration[],
    options: CountOptions,
  ): Promise<readonly LateByBatch[]> {
    const numbers = await this.#count(configurations, { ...options, batches: true })
    const width = 1 + this.stages.length
    return configurations.map((_, index) => {
      const [late = 0, ...largestBatches] = numbers.subarray(index * width, (index + 1) * width)
      return { late, largestBatches }
    })
  }

  async #count(
    configurations: readonly PlannedConfiguration[],
    options: CountOptions & { readonly batches: boolean },
  ): Promise<Float64Array> {
    const { latencyMs, signal, batches } = options
    const enough = Math.min(options.enough ?? Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER)
    const services = configurations.map((one) => this.#services.of(one, means))
    const pairs = this.#pairsOf(services)
    return await this.#run(signal, (run) => {
      const asked = { configurations: pairs, latencyMs, enough, batches, threads: this.#threads }
      return this.#native.countLate({ ...asked, run })
    })
  }

  /**
   * What each configuration makes of the trace, to its end; with service times `drawn` from their spread instead of
   * means (default false).
   *
   * @throws {MillraceError} As {@link StageServices.of} does; MILLRACE_CANCELLED when `signal` is aborted.
   */
  async estimate(
    configurations: readonly PlannedConfiguration[],
    options: {
      readonly latencyMs: number
      readonly drawn?: boolean | undefined
      readonly signal?: AbortSignal | undefined
    },
  ): Promise<readonly Estimate[]> {
    const { latencyMs, drawn = false, signal } = options
    const services = configurations.map((one) => this.#services.of(one, { drawn }))
    const pairs = this.#pairsOf(services)
    const reports = await this.#run(signal, (run) => {
      const threads = this.#threads
      return this.#native.estimate({ configurations: pairs, latencyMs, threads, drawn, run })
    })
    return reports.map((report, at) => {
      return summarize(report, { stages: this.stages, services: services[at] ?? [] })
    })
  }

  /** A run from the beginning of the trace, to be taken on step by step. */
  simulate(
    configuration: PlannedConfiguration,
    { drawn = false }: { readonly drawn?: boolean | undefined } = {},
  ): SimulatedRun {
    const pairs = this.#pairsOf([this.#services.of(configuration, { drawn })])
    const native = fromAddon(() => this.#native.start({ configuration: pairs, drawn }))
    const serviceOf = (stage: string, planned: PlannedStage): readonly [number, number] => {
      const service = this.#services.stage(stage, { planned, drawn })
      return [this.#numberOf(service.native), service.replicas]
    }
    return new SimulatedRun({ native, stages: this.stages, serviceOf })
  }

  #pairsOf(configurations: readonly (readonly StageService[])[]): Float64Array {
    const pairs = new Float64Array(configurations.length * this.stages.length * 2)
    let at = 0
    for (const services of configurations) {
      for (const { native, replicas } of services) {
        pairs[at++] = this.#numberOf(native)
        pairs[at++] = replicas
      }
    }
    return pairs
  }

  #numberOf(service: NativeService): number {
    const known = this.#numbers.get(service)
    if (known !== undefined) return known
    const number = this.#native.addService(service)
    this.#numbers.set(service, number)
    return number
  }

  async #run<Result>(
    signal: AbortSignal | undefined,
    begin: (run: number) => Promise<Result>,
  ): Promise<Result> {
    if (signal?.aborted) throw cancelled(signal)
    const run = this.#runs++
    const cancel = (): void => this.#native.cancel(run)
    signal?.addEventListener('abort', cancel, { once: true })
    try {
      return await begin(run)
    } catch (error) {
      throw signal?.aborted ? cancelled(signal) : fromNative(error)
    } finally {
      signal?.removeEventListener('abort', cancel)
    }
  }
}

const means = { drawn: false } as const

function fromAddon<Result>(call: () => Result): Result {
  try {
    return call()
  } catch (error) {
    throw fromNative(error)
  }
}

function cancelled(signal: AbortSignal): MillraceError {
  return new MillraceError({
    code: 'MILLRACE_CANCELLED',
    message: 'the simulation was cancelled through its signal',
    cause: signal.reason,
  })
}
