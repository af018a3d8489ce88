// The native surface of the simulator: what native/addon/native_simulator.h exports, as it is.

/** A pipeline, its paths and a trace: see native/simulator/simulated_pipeline.h. */
export interface NativeSimulatorSpec {
  readonly stages: readonly {
    readonly predecessors: readonly number[]
    readonly fanOut: boolean
    /** -1 for none. */
    readonly gather: number
  }[]
  readonly paths: readonly {
    readonly share: number
    readonly visits: readonly (readonly [stage: number, times: number])[]
    /** Opener -1: rows of the request. */
    readonly items: readonly (readonly [opener: number, times: number, path: number])[]
  }[]
  readonly requestMs: number
  readonly loopMs: number
  /** What of it is done when requests are answered. */
  readonly answerMs: number
  /** That threads share; 0: each has one of its own. */
  readonly cores: number
  /** How long a thread keeps its core while others wait; above 0 where cores are shared. */
  readonly sliceMs: number
  readonly slowdown: readonly number[]
  /** The same for each device that replicas share. */
  readonly deviceSlowdowns: readonly (readonly number[])[]
  readonly arrivalsMs: Float64Array
  /** Of each request, for the draw of its path; empty: in order. */
  readonly numbers: Uint32Array
  /** From 0 to 2^53. */
  readonly seed: number
}

/** How one stage is run, beside its number of replicas. */
export interface NativeService {
  /** Batch and milliseconds, in turn, ascending; the first batch is 1. */
  readonly latency: readonly number[]
  /** Quantiles of service times over their mean, at shares 0, 1/n, ..., 1; empty: always the mean. */
  readonly spread: readonly number[]
  readonly hopMs: number
  readonly wakeMs: number
  readonly threads: number
  /** 0: the CPU; n: the nth of `deviceSlowdowns`. */
  readonly device: number
  readonly maxBatch: number
  readonly maxDelayMs: number
}

/**
 * A trace and a pipeline, for any number of configurations. A configuration is a pair of numbers a stage, in turn: a
 * service that was added, and its replicas.
 */
export interface NativeSimulator {
  /** The number of the service, for good. */
  addService(service: NativeService): number
  /**
   * For each configuration, back to back, how many requests are later than the limit, counted up to the first beyond
   * `enough`; with `batches` each followed by the rows of the largest batch begun until then, stage by stage. On `threads`
   * native threads. Rejects with MILLRACE_CANCELLED after cancel() with the number of this `run`.
   */
  countLate(options: {
    readonly configurations: Float64Array
    readonly latencyMs: number
    readonly enough: number
    readonly batches: boolean
    readonly threads: number
    readonly run: number
  }): Promise<Float64Array>
  /** For each configuration, back to back, all there is to know; as above. */
  estimate(options: {
    readonly configurations: Float64Array
    readonly latencyMs: number
    readonly threads: number
    readonly drawn: boolean
    readonly run: number
  }): Promise<readonly NativeSimulationReport[]>
  /** Ends the calls that were given this number and have not settled yet. */
  cancel(run: number): void
  /** A configuration to be taken through the trace step by step, on the calling thread. */
  start(options: {
    readonly configuration: Float64Array
    readonly drawn: boolean
  }): NativeSimulation
}

export interface NativeSimulation {
  /** All that happens up to then, Infinity for the end; false when nothing is left to happen. */
  advance(toMs: number): boolean
  setReplicas(stage: number, replicas: number): void
  setService(stage: number, service: number, replicas: number): void
  report(latencyMs: number): NativeSimulationReport
}

export interface NativeSimulationReport {
  readonly nowMs: number
  readonly arrived: number
  readonly finished: number
  /** Finished later than the limit, or unfinished and older. */
  readonly late: number
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  readonly stages: readonly {
    readonly visits: number
    readonly batches: number
    readonly utilization: number
    readonly queueP99Ms: number
    readonly waitingRows: number
    readonly replicas: number
  }[]
}
