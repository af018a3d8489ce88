import { checkInteger, checkNumber, checkObject, describe, suggest } from '../check.ts'
import { MillraceError } from '../errors.ts'
import {
  type NativeEngine,
  type NativeFunction,
  type NativeModel,
  refusals,
  type Submit,
} from '../native/addon.ts'
import { loadAddon } from '../native/load.ts'
import { fromNative } from '../native/native-error.ts'
import { bindPipeline } from '../pipeline/bind.ts'
import type { BoundPipeline } from '../pipeline/bound-pipeline.ts'
import {
  type Configuration,
  checkReplicas,
  resolveConfiguration,
} from '../pipeline/configuration.ts'
import { checkPipeline } from '../pipeline/define-pipeline.ts'
import type { InputsOf, OutputsOf, Pipeline, StagesOf } from '../pipeline/pipeline.ts'
import { AbortListeners } from './abort-listeners.ts'
import { defaultPendingRows } from './admission.ts'
import { availableCores } from './cores.ts'
import { DeadlineTimer } from './deadline-timer.ts'
import { FunctionHosts } from './function-hosts.ts'
import {
  defaultTerms,
  type InferOptions,
  type RequestTerms,
  readInferOptions,
} from './infer-options.ts'
import { InputReader } from './input-reader.ts'
import { loadModels } from './models.ts'
import { toNativeSpec } from './native-spec.ts'
import { PendingRequests } from './pending-requests.ts'
import {
  cancelled,
  closed,
  deadlinePassed,
  defect,
  queueFull,
  tooManyRows,
} from './request-error.ts'
import { ResultReader } from './result-reader.ts'
import type { EngineStats } from './stats.ts'

export interface EngineOptions<Stages extends string = string> {
  /** How each stage is run. Default: one thread a replica, batches up to 16, the cores shared out. */
  readonly configuration?: Configuration<Stages> | undefined
  /**
   * Rows in the pipeline at once, waiting or running; a request beyond is rejected at once with MILLRACE_QUEUE_FULL.
   * Default: as many as fit 64 MiB of model inputs, from 64 to 4096.
   */
  readonly maxPendingRows?: number | undefined
}

export interface CloseOptions {
  /**
   * Milliseconds to wait for pending requests; what is still pending then is interrupted and rejects with
   * MILLRACE_CLOSED. Default 10,000.
   */
  readonly timeoutMs?: number | undefined
}

const startKeys = ['configuration', 'maxPendingRows'] as const
const mostPendingRows = 1 << 20
const defaultCloseMs = 10_000

interface Parts {
  readonly pipeline: Pipeline
  readonly bound: BoundPipeline
  readonly native: NativeEngine
  readonly hosts: FunctionHosts
  readonly maxPendingRows: number
}

/**
 * Serves a pipeline on native threads inside this process. Requests are batched per stage, keep their deadlines from stage
 * to stage, and never block the event loop; pending requests keep the process alive, an idle engine does not.
 */
export class Engine<P extends Pipeline = Pipeline> implements AsyncDisposable {
  readonly #parts: Parts
  readonly #inputs: InputReader
  readonly #submitNative: Submit
  readonly #pending = new PendingRequests()
  readonly #timer: DeadlineTimer
  readonly #signals = new AbortListeners((index, signal) => {
    // False: it was answered already, and its result is on the way.
    if (this.#parts.native.cancel(index)) this.#pending.reject(index, cancelled(signal))
  })
  #refusing = false
  #closing: Promise<void> | undefined
  /** The last scaling asked for: they are done in the order of the calls, so that the last one counts. */
  #scaling: Promise<unknown> = Promise.resolve()

  private constructor(parts: Parts) {
    const { native, bound } = parts
    this.#parts = parts
    this.#inputs = new InputReader(bound)
    this.#timer = new DeadlineTimer(() => native.expire())
    const reader = new ResultReader(bound, this.#pending)
    this.#submitNative = native.attach({
      heads: reader.heads,
      payload: reader.payload,
      openDims: this.#inputs.openDims.buffer as ArrayBuffer,
      // Not a closure of this constructor: the core holds it, and through it nothing may lead back
      // to `native`, or an engine that is forgotten could never be collected.
      onSettled: reader.onSettled,
    })
  }

  /**
   * Loads the models off the event loop, checks the pipeline against them and starts the replicas.
   *
   * @throws {MillraceError} MILLRACE_INVALID_OPTION, MILLRACE_INVALID_PIPELINE, MILLRACE_MODEL_LOAD, MILLRACE_NATIVE_LOAD,
   * MILLRACE_STAGE_FAILED where the module of a js() stage cannot be opened
   */
  static async start<P extends Pipeline>(
    pipeline: P,
    options: EngineOptions<StagesOf<P>> = {},
  ): Promise<Engine<P>> {
    checkPipeline(pipeline)
    const given = checkObject(options, { name: 'engine options', keys: startKeys })
    const { configuration: wanted = {}, maxPendingRows: limit } = given
    const configuration = resolveConfiguration(pipeline, {
      configuration: wanted,
      cores: availableCores(),
    })
    const givenRows = limit === undefined ? undefined : checkPendingRows(limit)
    const models = await loadModels(pipeline, configuration)
    const bound = bindPipeline(pipeline, models)
    const maxPendingRows = givenRows ?? defaultPendingRows(bound)
    const hosts = await FunctionHosts.start(pipeline, { models, configuration })
    const run = new Map<string, NativeModel | NativeFunction>([...models, ...hosts.natives])
    const spec = toNativeSpec(bound, { models: run, configuration, maxPendingRows, shed: true })
    try {
      const native = await loadAddon().createEngine(spec)
      hosts.belongTo(native)
      return new Engine<P>({ pipeline, bound, native, hosts, maxPendingRows })
    } catch (error) {
      await hosts.close()
      throw fromNative(error)
    }
  }

  get pipeline(): P {
    return this.#parts.pipeline as P
  }

  /**
   * Runs one request of one or more rows. Its inputs are copied before this returns; what happens to them afterwards does
   * not matter.
   *
   * @returns The outputs, as tensors of their own memory with as many rows as the inputs.
   * @throws {MillraceError} (by rejecting, never synchronously) MILLRACE_INVALID_INPUT, MILLRACE_INVALID_OPTION,
   * MILLRACE_QUEUE_FULL, MILLRACE_DEADLINE_EXCEEDED, MILLRACE_CANCELLED, MILLRACE_STAGE_FAILED, MILLRACE_CLOSED
   */
  infer(inputs: InputsOf<P>, options?: InferOptions): Promise<OutputsOf<P>> {
    try {
      const terms = options === undefined ? defaultTerms : readInferOptions(options)
      if (terms.signal?.aborted) throw cancelled(terms.signal)
      if (this.#refusing) throw closed()
      this.#inputs.read(inputs)
      this.#checkRows()
      const index = this.#submit(terms)
      if (index < 0) throw this.#refusal(index)
      const result = this.#pending.add(index)
      if (terms !== defaultTerms) this.#keepTerms(index, terms)
      return result as Promise<OutputsOf<P>>
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Runs many requests, which are batched together like any others.
   *
   * @returns The outputs of each, in order. Rejects with the first error; the other requests run on.
   */
  inferMany(requests: Iterable<InputsOf<P>>, options?: InferOptions): Promise<OutputsOf<P>[]> {
    try {
      // All of them first: an iterator that throws leaves no request behind.
      const all = [...checkIterable(requests)]
      return Promise.all(all.map((inputs) => this.infer(inputs, options)))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** A snapshot of counters and distributions since the start; cheap enough to be asked for every second. */
  stats(): EngineStats<StagesOf<P>> {
    return this.#parts.native.stats() as EngineStats<StagesOf<P>>
  }

  /**
   * Sets the number of replicas of a stage. Added ones of one thread share the loaded model and serve within
   * milliseconds; removed ones finish their batch. With 0 replicas, requests wait.
   *
   * @returns Fulfils when it is done.
   * @throws {MillraceError} MILLRACE_INVALID_OPTION, MILLRACE_MODEL_LOAD, MILLRACE_CLOSED
   */
  async scale(stage: StagesOf<P>, replicas: number): Promise<void> {
    const stages = this.#parts.bound.stages.map(({ name }) => name)
    const index = stages.indexOf(stage)
    if (index < 0) {
      throw new MillraceError({
        code: 'MILLRACE_INVALID_OPTION',
        message: `scale: no stage ${JSON.stringify(stage)}; ${suggest(String(stage), stages)}`,
      })
    }
    const count = checkReplicas(replicas, 'scale: replicas')
    if (this.#closing !== undefined) throw closed()
    const turn = this.#scaling.then(() => this.#scaleNow(stage, index, count))
    this.#scaling = turn.catch(() => undefined)
    try {
      await turn
    } catch (error) {
      throw fromNative(error, stage)
    }
  }

  async #scaleNow(stage: string, index: number, replicas: number): Promise<void> {
    const { native, hosts } = this.#parts
    const before = hosts.size(stage)
    await hosts.grow(stage, replicas)
    try {
      await native.scale(index, replicas)
    } catch (error) {
      hosts.shrink(stage, before)
      throw error
    }
    hosts.shrink(stage, replicas)
  }

  /** Refuses further requests; fulfils when those accepted are answered. */
  drain(): Promise<void> {
    this.#refusing = true
    this.#parts.native.refuse()
    return this.#pending.whenIdle()
  }

  /**
   * Drains, for `timeoutMs` at most, then ends all threads and frees the models. May be called again; it closes once.
   *
   * @throws {MillraceError} MILLRACE_INVALID_OPTION
   */
  async close(options: CloseOptions = {}): Promise<void> {
    const given = checkObject(options, { name: 'close options', keys: ['timeoutMs'] })
    const { timeoutMs = defaultCloseMs } = given
    const waitMs = checkNumber(timeoutMs, { name: 'timeoutMs', min: 0 })
    this.#closing ??= this.#shutDown(waitMs)
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #shutDown(timeoutMs: number): Promise<void> {
    const drained = this.drain()
    await withinMs(drained, timeoutMs)
    await this.#parts.native.stop()
    this.#timer.stop()
    // A worker stuck in a system call ends when that returns; nobody needs to wait for it.
    await withinMs(this.#parts.hosts.close(), longestWorkerEndMs)
  }

  #submit(terms: RequestTerms): number {
    const submit = this.#submitNative
    const { rows, data } = this.#inputs
    // The usual numbers of inputs, without spreading an array.
    if (data.length === 1) return submit(rows, terms.priority, terms.leftMs, data[0])
    if (data.length === 2) return submit(rows, terms.priority, terms.leftMs, data[0], data[1])
    return submit(rows, terms.priority, terms.leftMs, ...data)
  }

  #checkRows(): void {
    const { maxPendingRows } = this.#parts
    const { rows } = this.#inputs
    if (rows > maxPendingRows) throw tooManyRows(rows, maxPendingRows)
  }

  #keepTerms(index: number, { leftMs, signal }: RequestTerms): void {
    if (leftMs < Number.POSITIVE_INFINITY) this.#timer.arm(leftMs)
    if (signal === undefined) return
    this.#pending.onSettle(index, this.#signals.add(index, signal))
  }

  #refusal(code: number): MillraceError {
    switch (code) {
      case refusals.queueFull:
        return queueFull(this.#parts.maxPendingRows)
      case refusals.deadlinePassed:
        return deadlinePassed()
      case refusals.closed:
        return closed()
      default:
        return defect()
    }
  }
}

const longestTimerMs = 2 ** 31 - 1
const longestWorkerEndMs = 1_000

/** Fulfils with the promise, or when the time is over. */
async function withinMs(promise: Promise<void>, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.min(limitMs, longestTimerMs))
  })
  await Promise.race([promise, timeout])
  clearTimeout(timer)
}

function checkIterable<Item>(requests: Iterable<Item>): Iterable<Item> {
  const given: unknown = requests
  if (typeof given === 'object' && given !== null && Symbol.iterator in given) return requests
  throw new MillraceError({
    code: 'MILLRACE_INVALID_INPUT',
    message: `requests: expected an iterable of inputs, got ${describe(given)}; give an array`,
  })
}

function checkPendingRows(value: unknown): number {
  return checkInteger(value, { name: 'maxPendingRows', min: 1, max: mostPendingRows })
}
