// The only types of the native surface: what native/addon exports, as it is. A test keeps both sides equal.
import type { TensorType } from '../pipeline/tensor.ts'
import type { TensorSpec } from '../pipeline/tensor-spec.ts'
import type { ProviderName } from '../pipeline/tier.ts'
import type { NativeSimulation, NativeSimulator, NativeSimulatorSpec } from './simulator.ts'
import type { NativeHistogramBounds, NativeHistograms, NativeStats } from './stats.ts'

export interface Addon {
  /** Rejects with an Error whose `code` is a MillraceErrorCode. */
  loadModel(options: LoadModelOptions): Promise<NativeModel>
  /** Rejects, with ONNX Runtime's reason, where no session can be made with it. The first for WebGPU opens its device. */
  probeProvider(options: ProbeOptions): Promise<void>
  /** Loads the driver, from these files where they are not empty. What it says fails is in the report. */
  cudaDevices(libraries: {
    readonly driver: string
    readonly nvml: string
  }): Promise<NativeCudaReport>
  /** Why there is no compiler of CUDA kernels (NVRTC), in this file where it is not empty; undefined where there is one. */
  kernelCompiler(file: string): Promise<string | undefined>
  /** Rejects with an Error whose `code` is a MillraceErrorCode. */
  loadKernel(options: LoadKernelOptions): Promise<NativeModel>
  /** Runs the model until its device is lost, and from then on the function. */
  withFallback(model: NativeModel, fallback: NativeFunction): NativeModel
  vulkanDevices(): Promise<NativeVulkanReport>
  /**
   * How many ms a thread is off its core while others are on it, with so many kept busy for so many ms; 0 where they have a
   * core each.
   */
  measureTimeSlice(threads: number, durationMs: number): Promise<number>
  createEngine(spec: NativePipelineSpec): Promise<NativeEngine>
  /** Loads that can be cancelled together, also with those above; all are when the environment ends. */
  openLoads(above?: NativeLoads): NativeLoads
  /** For good: a later load, also of further replicas of several threads, fails with MILLRACE_CANCELLED. */
  cancelLoads(loads: NativeLoads): void
  /**
   * Delivers what is settled, in all engines of this environment, without waiting for the event loop to be woken. After a
   * poll that is not the last the core does not wake the event loop: another one must follow.
   */
  poll(last: boolean): void
  createFunction(options: CreateFunctionOptions): NativeFunction
  /** Undefined where the function is gone: its engine is closed or forgotten. In any environment. */
  openPort(options: OpenPortOptions): NativePort | undefined
  createSimulator(spec: NativeSimulatorSpec): NativeSimulator
  readonly NativeModel: NativeClass<NativeModel>
  readonly NativeEngine: NativeClass<NativeEngine>
  readonly NativeFunction: NativeClass<NativeFunction>
  readonly NativePort: NativeClass<NativePort>
  readonly NativeSimulator: NativeClass<NativeSimulator>
  readonly NativeSimulation: NativeClass<NativeSimulation>
}

declare const loads: unique symbol

/** Opaque: only the addon makes and reads it. */
export interface NativeLoads {
  readonly [loads]: true
}

/** A class whose objects only the addon makes. */
export interface NativeClass<Instance> {
  readonly prototype: Instance
}

/** What runs a model. */
export interface NativeProvider {
  readonly kind: ProviderName
  readonly device: number
  /** By the names of ONNX Runtime. */
  readonly options: Readonly<Record<string, string>>
}

export interface ProbeOptions {
  /** Absolute path of libonnxruntime, and the version it must have. */
  readonly libraryPath: string
  readonly libraryVersion: string
  readonly provider: NativeProvider
}

export interface NativeCudaReport {
  /** Why there is nothing to report. */
  readonly fault?: string
  /** The latest CUDA that the driver serves: 12040 is 12.4. 0 where it could not be asked. */
  readonly cudaVersion: number
  readonly driverVersion: string | undefined
  readonly devices: readonly NativeCudaDevice[]
}

export interface NativeCudaDevice {
  readonly index: number
  readonly name: string
  readonly memoryBytes: number
  readonly computeCapability: string
  readonly freeMemoryBytes: number | undefined
  readonly utilizationPercent: number | undefined
  readonly temperatureC: number | undefined
}

export interface NativeVulkanReport {
  readonly fault?: string
  readonly devices: readonly NativeVulkanDevice[]
}

export interface NativeVulkanDevice {
  readonly name: string
  readonly type: 'discrete' | 'integrated' | 'virtual' | 'cpu' | 'other'
}

export interface LoadModelOptions extends ProbeOptions {
  /** A path or the bytes of a model. */
  readonly source: string | Uint8Array
  /** What messages call it. */
  readonly name: string
  /** Threads inside one operator, per replica. */
  readonly threads: number
  readonly spinning: boolean
  readonly arena: boolean
  readonly sessionConfig: Readonly<Record<string, string>>
  /** Default: those of the environment. */
  readonly loads?: NativeLoads | undefined
  /** Loads at low priority where that is possible, so that what is served meanwhile does not suffer. */
  readonly background: boolean
  /** On CUDA, for rows that stay on the device: file of the driver (empty: the system's), and as for kernels below. */
  readonly driver: string
  readonly memoryBytes: number
  /** Whether `onFallback` is called where its device is lost, for another model to be put in its place. */
  readonly replaceable: boolean
}

/** A CUDA kernel: see native/cuda/cuda_model.h for how it is launched. */
export interface LoadKernelOptions {
  /** Files of the driver and of the compiler; empty: the system's. */
  readonly driver: string
  readonly compiler: string
  /** What messages call it, and what the compiler's log calls the source. */
  readonly name: string
  readonly file: string
  readonly text: string
  /** Whether the text is PTX; otherwise it is C++. */
  readonly ptx: boolean
  readonly kernel: string
  readonly defines: Readonly<Record<string, string>>
  /** The first dimension counts rows, the others are fixed. */
  readonly inputs: readonly NativeTensor[]
  readonly outputs: readonly NativeTensor[]
  /** Blocks of each row. */
  readonly grid: readonly [y: number, z: number]
  readonly block: readonly [x: number, y: number, z: number]
  readonly sharedBytes: number
  /** Whether batches of some sizes are launched as CUDA graphs. */
  readonly graphs: boolean
  readonly device: number
  /** Of the device, that kernels of this process may take, all together; Infinity for no limit. */
  readonly memoryBytes: number
}

export interface NativeModel {
  /** Undefined once it was released, as `outputs`. */
  readonly inputs: readonly TensorSpec[]
  readonly outputs: readonly TensorSpec[]
  /** Lets go of the model at once and not when this object is collected; engines that were given it keep it. */
  release(): void
}

type NativeTensor = Pick<TensorSpec, 'name' | 'type' | 'dims'>

export interface CreateFunctionOptions {
  /** What messages call it. */
  readonly name: string
  /** As those of a batched model: the first dimension counts rows. */
  readonly inputs: readonly NativeTensor[]
  readonly outputs: readonly NativeTensor[]
  /** Whether rows of a batch may have shapes of their own. */
  readonly ragged: boolean
  /** Limits the wait for a port, and again the time at one; Infinity for none. */
  readonly timeoutMs: number
}

/** A function as a model: it is run by whoever opens a port on it. */
export interface NativeFunction {
  /** Its number in the whole process. */
  readonly id: number
  /** Who is told of ports that exceeded the limit, and are given no more calls; held until undefined is given. */
  watch(onOverdue: ((seat: number) => void) | undefined): void
  /**
   * Why the port of a seat closed: what it had in hand fails with it. `detail` is JSON of a PlainError. Returns how many
   * calls the port had answered.
   */
  explain(seat: number, message: string, detail: string | undefined): number
  /** Gives no more calls to one of the ports that have none in hand; its seat, or undefined. */
  retireIdle(): number | undefined
  /** While given, calls that find no port fail with it at once. */
  setFailure(message: string | undefined, detail: string | undefined): void
}

export interface OpenPortOptions {
  /** `NativeFunction.id`. */
  readonly function: number
  /** Names the port; unique for the function. */
  readonly seat: number
  /** Calls in hand at once; Infinity for no limit. */
  readonly capacity: number
  /** Whether a port that exceeds the limit is given no more calls and reported. */
  readonly replaceable: boolean
  /**
   * For each input, in turn, its elements (all rows back to back) and its dims: undefined where they follow from what is
   * declared, of all rows, or a list of the dims of each row alone. Their memory is the callee's to keep. `leftMs` is the
   * time until the earliest deadline. To be followed by one answer() or fail().
   */
  readonly onCall: (call: number, rows: number, leftMs: number, values: readonly unknown[]) => void
  /** Nobody waits for the call any more; it may have been answered already. */
  readonly onAbort: (call: number) => void
}

/** An environment that runs a function. Open, and held, until close(). */
export interface NativePort {
  /**
   * For each output, in turn, elements and dims as in `onCall`; where dims are those of each row alone, a list of the
   * elements of each. `failed` holds row, message and detail of each row that failed, ascending.
   */
  answer(
    call: number,
    rows: number,
    outputs: readonly unknown[],
    failed: readonly (number | string | undefined)[] | undefined,
  ): void
  /** The whole batch failed; the core may try parts of it again. */
  fail(call: number, message: string, detail: string | undefined): void
  close(): void
}

/** [stage, output], or [-1, input] for an input of the request. */
export type NativeSource = readonly [stage: number, index: number]

export interface NativePipelineSpec {
  readonly batched: boolean
  /** Rows in the pipeline at once; one more is refused. */
  readonly maxPendingRows: number
  /** Completed requests that took no longer are counted apart; Infinity for all of them. */
  readonly objectiveMs: number
  /** Whether what cannot meet its deadline is refused or dropped as soon as that is known. */
  readonly shed: boolean
  /** Whether replicas run batches of zeros before they take traffic. */
  readonly warmUp: boolean
  readonly inputs: readonly {
    readonly name: string
    readonly type: TensorType
    readonly dims: readonly number[]
  }[]
  readonly stages: readonly NativeStageSpec[]
  readonly outputs: readonly {
    readonly name: string
    readonly sources: readonly NativeSource[]
    /** The bytes of one element, or a string; what a row holds for which no source ran. */
    readonly fill: Uint8Array | string | undefined
  }[]
}

export interface NativeStageSpec {
  readonly name: string
  readonly model: NativeModel | NativeFunction
  readonly batched: boolean
  readonly inputs: readonly (readonly NativeSource[])[]
  readonly condition: NativeCondition | undefined
  readonly replicas: number
  readonly maxBatch: number
  readonly maxDelayMs: number
  /** Of the model; only told on, with the visits of requests. */
  readonly threads: number
  readonly fanOut: boolean
  /** Index of the fan-out stage whose items come together here; -1 for none. */
  readonly gather: number
  /** Per model input: one element's bytes that fill it, and the sizes batched together. */
  readonly padding: readonly (
    | { readonly element: Uint8Array; readonly buckets: readonly number[] }
    | undefined
  )[]
  /** Per model output and dimension of its rows: [input, dimension of its rows]. */
  readonly trims: readonly (readonly (readonly [input: number, dim: number] | undefined)[])[]
  readonly cache: { readonly maxBytes: number; readonly ttlMs: number } | undefined
  readonly isolate: boolean
}

export interface NativeCondition {
  readonly source: NativeSource
  readonly below: number | undefined
  readonly above: number | undefined
  readonly equals: number | string | undefined
}

/** Priority classes as the core counts them, the first is served first. */
export const priorityClasses = ['high', 'normal', 'low'] as const

/** Added to the priority of a request that records its visits, and to the outcome of one that did. */
export const recordVisits = 4
export const visitsFollow = 16

/** What became of a row at a stage, as the core counts it. */
export const visitStates = {
  waiting: 1,
  running: 2,
  ran: 3,
  failed: 4,
  skipped: 5,
  shed: 6,
  refused: 7,
  interrupted: 8,
  hit: 9,
  shared: 10,
} as const

/** What `submit` returns in place of an index. */
export const refusals = {
  queueFull: -1,
  deadlinePassed: -2,
  closed: -3,
  misfit: -4,
  tooBusy: -5,
  tooLittle: -6,
} as const

/** How a request ended, as the core counts it. */
export const outcomes = {
  completed: 1,
  failed: 2,
  deadlineExceeded: 3,
  queueFull: 4,
  cancelled: 5,
  closed: 6,
} as const

/** Bytes of an output up to which it comes through the payload; larger ones come as extras. */
export const inlineBytes = 16 * 1024

/**
 * Copies the inputs and returns the index of the pending request, or one of `refusals`. `priority` is the class, with
 * `recordVisits` or without; `leftMs` the time until the deadline, Infinity for none. One argument an input: a typed array, or an array of strings.
 */
export type Submit = (
  rows: number,
  priority: number,
  leftMs: number,
  ...inputs: readonly unknown[]
) => number

/** One environment's hold on a running engine. Everything but the constructor is called on its own thread. */
export interface NativeEngine {
  /** Gives memory for results (see native/addon/result_writer.h) and who reads them, for the way to submit. */
  attach(options: {
    readonly heads: ArrayBuffer
    readonly payload: ArrayBuffer
    /** Float64: dims of the rows of inputs that are open, in order, written before submit. */
    readonly openDims: ArrayBuffer
    readonly onSettled: (count: number, extras: readonly unknown[] | undefined) => void
    /** A stage moved to its fallback, since the device of its model is lost. Must not throw. */
    readonly onFallback: (stage: number, reason: string) => void
  }): Submit
  /** True: settled, will not be delivered. False: it was settled before. */
  cancel(index: number): boolean
  /** Settles what is past its deadline; milliseconds until the next one, -1 when there is none. */
  expire(): number
  /** What a pending request that records its visits was through so far (see native/addon/visits_writer.h). */
  visits(index: number): Float64Array | undefined
  /** Why the last request was refused. */
  refusal(): NativeRefusal
  scale(stage: number, replicas: number): Promise<void>
  /** All of them, each of another stage, or none where it rejects. */
  reconfigure(changes: readonly NativeStageChange[]): Promise<void>
  /** Refuses every further submit. */
  refuse(): void
  /** Ends all replicas at once, interrupting what runs, and settles what is left as closed. */
  stop(): Promise<void>
  stats(): NativeStats
  histograms(bounds: NativeHistogramBounds): NativeHistograms
}

export interface NativeRefusal {
  /** Until a retry has a chance; -1 where that is not known. */
  readonly retryAfterMs: number
  /** With tooBusy and tooLittle: what the request would wait, and be worked on, in all stages. */
  readonly waitMs: number
  readonly serviceMs: number
  /** What it would take if nothing else were there. */
  readonly aloneMs: number
}

/** How a stage is to be served; by the model that serves it now where there is none. */
export interface NativeStageChange {
  readonly stage: number
  readonly model: NativeModel | NativeFunction | undefined
  readonly replicas: number
  readonly maxBatch: number
  readonly maxDelayMs: number
  readonly threads: number
}
