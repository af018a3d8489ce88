import type { MillraceError } from '../errors.ts'
import type { NativeFunction, NativeModel, Submit } from '../native/addon.ts'
import { loadAddon } from '../native/load.ts'
import { bindPipeline } from '../pipeline/bind.ts'
import { withChosenModels } from '../pipeline/chosen-models.ts'
import type { CompleteConfiguration, Configuration } from '../pipeline/configuration.ts'
import { checkPipeline } from '../pipeline/define-pipeline.ts'
import type { ModelSource } from '../pipeline/model-source.ts'
import type { InputsOf, OutputsOf, Pipeline, StagesOf } from '../pipeline/pipeline.ts'
import { AbortListeners, isAborted } from './abort-listeners.ts'
import { defaultPendingRows } from './admission.ts'
import type { AppliedPlan } from './applied-plan.ts'
import {
  type ArrivalRecording,
  Arrivals,
  type ArrivalWatch,
  type RecordOptions,
} from './arrivals.ts'
import { type Changeable, Changes, type SwapOptions } from './changes.ts'
import { checkIterable } from './check-iterable.ts'
import { createNative } from './create-native.ts'
import { DeadlineTimer } from './deadline-timer.ts'
import { describeValues, type EngineState, type ValueDescription } from './described-values.ts'
import {
  type CloseOptions,
  type EngineOptions,
  readCloseOptions,
  readEngineOptions,
} from './engine-options.ts'
import { EngineEmitter, type EngineEvents, type EngineListener } from './events.ts'
import { FunctionHosts } from './function-hosts.ts'
import { type EngineHistograms, type HistogramBounds, readHistograms } from './histograms.ts'
import { type InferMessage, inferStart, publishInfer } from './infer-channel.ts'
import {
  defaultTerms,
  type InferOptions,
  type RequestTerms,
  readInferOptions,
  recordedTerms,
} from './infer-options.ts'
import { InputReader } from './input-reader.ts'
import { loadModels, releaseAll } from './models.ts'
import { toNativeSpec } from './native-spec.ts'
import { PendingRequests } from './pending-requests.ts'
import { placeStages } from './place-stages.ts'
import { RecordedCalls } from './recorded-calls.ts'
import { cancelled, closed, refused, sheds, tooManyRows } from './request-error.ts'
import { ResultReader } from './result-reader.ts'
import { ShedReporter } from './shed-reporter.ts'
import type { EngineStats } from './stats.ts'
import { withinMs } from './within-ms.ts'

interface Parts extends Omit<Changeable<string>, 'events'> {
  readonly maxPendingRows: number
}

/**
 * Serves a pipeline on native threads inside this process. Requests are batched per stage, keep their deadlines from stage
 * to stage, and never block the event loop; pending requests keep the process alive, an idle engine does not.
 */
export class Engine<P extends Pipeline = Pipeline> implements AsyncDisposable {
  /** What a request must hold, by name. */
  readonly inputs: Readonly<Record<keyof InputsOf<P> & string, ValueDescription>>
  /** What a request results in, by name. */
  readonly outputs: Readonly<Record<keyof OutputsOf<P> & string, ValueDescription>>
  readonly #parts: Parts
  readonly #inputs: InputReader
  readonly #submitNative: Submit
  readonly #pending = new PendingRequests()
  readonly #timer: DeadlineTimer
  readonly #signals = new AbortListeners((index, signal) => {
    // False: it was answered already, and its result is on the way.
    const { native } = this.#parts
    if (this.#recorded.cancel(index, native)) this.#pending.reject(index, cancelled(signal))
  })
  readonly #recorded: RecordedCalls
  readonly #arrivals = new Arrivals()
  #refusing = false
  #ended = false
  #closing: Promise<void> | undefined
  readonly #events: EngineEmitter<StagesOf<P>>
  readonly #changes: Changes<StagesOf<P>>
  readonly #shed = new ShedReporter((shed) => this.#events.emit('shed', shed))

  private constructor(parts: Parts) {
    const { native, bound } = parts
    this.#parts = parts
    this.inputs = describeValues(bound.inputs)
    this.outputs = describeValues(bound.outputs)
    this.#events = new EngineEmitter({ engine: this, pipeline: parts.pipeline.name })
    this.#changes = new Changes({ ...parts, events: this.#events })
    this.#inputs = new InputReader(bound)
    this.#timer = new DeadlineTimer(() => native.expire())
    const reader = new ResultReader(bound, this.#pending)
    reader.onShed = this.#shed.weakly()
    this.#recorded = new RecordedCalls(bound.stages.map(({ name }) => name))
    reader.onVisits = this.#recorded.settle
    this.#submitNative = native.attach({
      heads: reader.heads,
      payload: reader.payload,
      openDims: this.#inputs.openDims.buffer as ArrayBuffer,
      // Not a closure of this constructor: the core holds it, and through it nothing may lead back
      // to `native`, or an engine that is forgotten could never be collected.
      onSettled: reader.onSettled,
      onFallback: this.#changes.fallbacks.weakly(),
    })
  }

  /**
   * Loads the models off the event loop, checks the pipeline against them, starts workers and replicas and warms them up.
   *
   * @param pipeline What {@link definePipeline} made; its type gives those of inputs, outputs and stages.
   * @throws {MillraceError} (by rejecting) MILLRACE_INVALID_OPTION, MILLRACE_INVALID_PIPELINE, MILLRACE_MODEL_LOAD,
   * MILLRACE_NATIVE_LOAD, MILLRACE_DEVICE_UNAVAILABLE where a stage has nothing to run on, MILLRACE_STAGE_FAILED where the
   * module of a js() stage cannot be opened or its `setup` throws
   */
  static async start<P extends Pipeline>(
    pipeline: P,
    options: EngineOptions<StagesOf<P>> = {},
  ): Promise<Engine<P>> {
    checkPipeline(pipeline)
    const { configure, maxPendingRows: limit, ...terms } = readEngineOptions(pipeline, options)
    const { stages: configuration, fallbacks } = await placeStages(configure, { pipeline })
    const chosen = withChosenModels(pipeline, configuration)
    const loads = loadAddon().openLoads()
    const models = await loadModels(chosen, { configuration, loads, ...terms })
    try {
      const bound = bindPipeline(chosen, models)
      const maxPendingRows = limit ?? defaultPendingRows(bound)
      const hosts = await FunctionHosts.start(chosen, { models, configuration, ...terms })
      const run = new Map<string, NativeModel | NativeFunction>([...models, ...hosts.natives])
      const spec = toNativeSpec(bound, { models: run, configuration, maxPendingRows, ...terms })
      const native = await createNative(spec, hosts)
      const rest = { hosts, maxPendingRows, configuration, fallbacks, loads }
      return new Engine<P>({ pipeline, bound, native, ...rest })
    } finally {
      // The engine has them, and lets go of those it serves no more; or nobody does.
      releaseAll(models)
    }
  }

  /** What it was started with; models that were swapped in since do not show. */
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
      if (inferStart.hasSubscribers) return this.#publish(inputs, options)
      return this.#send(inputs, options === undefined ? defaultTerms : readInferOptions(options))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Runs many requests, which are batched together like any others.
   *
   * @param requests The inputs of each; all are taken from it before the first is sent.
   * @returns The outputs of each, in order. Rejects with the first error; the other requests run on.
   * @throws {MillraceError} (by rejecting) as {@link infer} does; MILLRACE_INVALID_INPUT also where `requests` is no iterable
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
    return this.#changes.fallbacks.shownIn(this.#parts.native.stats() as EngineStats<StagesOf<P>>)
  }

  /**
   * The distributions of {@link stats}, counted up to bounds.
   *
   * @throws {MillraceError} MILLRACE_INVALID_OPTION
   */
  histograms(bounds: HistogramBounds): EngineHistograms<StagesOf<P>> {
    return readHistograms<StagesOf<P>>(this.#parts.native, bounds)
  }

  /**
   * Writes down when requests arrive from now on, whatever becomes of them: every call that is not wrong in itself, those
   * refused for lack of room or time included. A request of several rows arrives once. Several recordings may go on at
   * the same time; while there is none, nothing is spent on it.
   *
   * @returns The recording, whose `stop()` gives what `new Trace({ arrivalsMs })` takes.
   * @throws {MillraceError} MILLRACE_INVALID_OPTION, MILLRACE_CLOSED
   */
  recordArrivals(options: RecordOptions = {}): ArrivalRecording {
    if (this.#refusing) throw closed()
    return this.#arrivals.record(options)
  }

  /**
   * Has a listener called for each arrival from now on, of the same requests that {@link recordArrivals} writes down.
   *
   * @param listener Called once the request is on its way. It holds up whoever sends it; what it throws is uncaught.
   * @throws {MillraceError} MILLRACE_INVALID_OPTION, MILLRACE_CLOSED
   */
  watchArrivals(listener: () => void): ArrivalWatch {
    if (this.#refusing) throw closed()
    return this.#arrivals.watch(listener)
  }

  /**
   * Sets the number of replicas of a stage. Added ones of one thread share the loaded model and serve after one run to
   * warm them up; those of a js() stage start a worker each. Removed ones finish their batch.
   *
   * @param stage Name of the stage.
   * @param replicas How many it is to have, from 0 to 1024. With 0, requests wait.
   * @returns Fulfils when it is done.
   * @throws {MillraceError} (by rejecting) MILLRACE_INVALID_OPTION, MILLRACE_MODEL_LOAD, MILLRACE_STAGE_FAILED where the
   * module of a js() stage cannot be opened, MILLRACE_CLOSED
   */
  scale(stage: StagesOf<P>, replicas: number): Promise<void> {
    return this.#changes.scale(stage, replicas)
  }

  /**
   * Replaces the model of a stage by another one with the same inputs and outputs. It is loaded and warmed up beside the
   * old one, then takes over between batches: no request is lost, refused or failed for it. Where anything fails, the old
   * one goes on as if nothing had been. What the stage's cache held is forgotten. Changes are made one after the other, in
   * the order of the calls. For stages made by onnx() only; it need not be one of the models that the stage lists.
   *
   * @param stage Name of the stage.
   * @param model A path, a file: URL, or the bytes of a model; or an object that holds it beside a signal.
   * @returns Fulfils when the last batch of the old model ended and its memory was freed.
   * @throws {MillraceError} (by rejecting) MILLRACE_MODEL_LOAD, MILLRACE_INVALID_PIPELINE where the models differ or
   * `model` is none of these, MILLRACE_STAGE_FAILED where the new one does not run, MILLRACE_CANCELLED,
   * MILLRACE_INVALID_OPTION, MILLRACE_CLOSED
   */
  swap(stage: StagesOf<P>, model: ModelSource | SwapOptions): Promise<void> {
    return this.#changes.swap(stage, model)
  }

  /**
   * Serves another configuration, wholly or not at all: what is left out of it stays as it is. Replicas with other limits,
   * another tier or another of the stage's models are made and warmed up beside the old ones before the first of them is
   * replaced.
   *
   * @param plan A configuration, or a plan that holds one, for a pipeline of this name.
   * @returns Fulfils when nothing of the old configuration serves any more.
   * @throws {MillraceError} (by rejecting) MILLRACE_INVALID_OPTION, MILLRACE_DEVICE_UNAVAILABLE, MILLRACE_MODEL_LOAD,
   * MILLRACE_INVALID_PIPELINE where another model has other inputs or outputs, MILLRACE_STAGE_FAILED, MILLRACE_CLOSED
   */
  apply(plan: Configuration<StagesOf<P>> | AppliedPlan<StagesOf<P>>): Promise<void> {
    return this.#changes.apply(plan)
  }

  /** What is served now: the configuration it was started with, and every change since. */
  get configuration(): CompleteConfiguration<StagesOf<P>> {
    return this.#changes.configuration
  }

  /** Has a listener called with each of these {@link EngineEvents}. An 'error' that nobody listens to is ignored. */
  on<Name extends keyof EngineEvents>(
    name: Name,
    listener: EngineListener<EngineEvents<StagesOf<P>>[Name]>,
  ): this {
    this.#events.on(name, listener)
    return this
  }

  /** Ends what {@link on} began with the same listener. */
  off<Name extends keyof EngineEvents>(
    name: Name,
    listener: EngineListener<EngineEvents<StagesOf<P>>[Name]>,
  ): this {
    this.#events.off(name, listener)
    return this
  }

  /** Whether it takes requests; 'closed' once `close` has ended everything. */
  get state(): EngineState {
    if (this.#ended) return 'closed'
    return this.#refusing ? 'draining' : 'serving'
  }

  /** Refuses further requests; fulfils when those accepted are answered, and never rejects. Changes can still be made. */
  drain(): Promise<void> {
    this.#refusing = true
    this.#parts.native.refuse()
    return this.#pending.whenIdle()
  }

  /**
   * Drains, for `timeoutMs` at most, then ends all threads and frees the models. May be called again; it closes once.
   *
   * @throws {MillraceError} (by rejecting) MILLRACE_INVALID_OPTION
   */
  async close(options: CloseOptions = {}): Promise<void> {
    const waitMs = readCloseOptions(options)
    this.#closing ??= this.#shutDown(waitMs)
    return this.#closing
  }

  /** As {@link close} without options, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #shutDown(timeoutMs: number): Promise<void> {
    this.#changes.close()
    const drained = this.drain()
    await withinMs(drained, timeoutMs)
    await this.#parts.native.stop()
    await this.#changes.whenIdle()
    this.#timer.stop()
    this.#shed.flush()
    // A worker stuck in a system call ends when that returns; nobody needs to wait for it.
    await withinMs(this.#parts.hosts.close(), longestWorkerEndMs)
    this.#ended = true
    this.#events.emit('close', undefined)
  }

  #publish(inputs: InputsOf<P>, options: InferOptions | undefined): Promise<OutputsOf<P>> {
    const { name: pipeline } = this.#parts.pipeline
    const message: InferMessage = { engine: this, pipeline, options, recordVisits: false }
    return publishInfer(message, () => {
      const terms = options === undefined ? defaultTerms : readInferOptions(options)
      return this.#send(inputs, message.recordVisits ? recordedTerms(terms, message) : terms)
    })
  }

  #send(inputs: InputsOf<P>, terms: RequestTerms): Promise<OutputsOf<P>> {
    if (isAborted(terms.signal)) throw cancelled(terms.signal)
    if (this.#refusing) throw closed()
    this.#inputs.read(inputs)
    this.#checkRows()
    const index = this.#submit(terms)
    if (index < 0) throw this.#refusal(index, terms)
    const result = this.#pending.add(index)
    // Once what was read is handed over: somebody who is told of it may send a request.
    this.#arrivals.count()
    if (terms !== defaultTerms) this.#keepTerms(index, terms)
    return result as Promise<OutputsOf<P>>
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

  #keepTerms(index: number, { leftMs, signal, recorded }: RequestTerms): void {
    if (recorded !== undefined) this.#recorded.add(index, recorded)
    if (leftMs < Number.POSITIVE_INFINITY) this.#timer.arm(leftMs)
    if (signal === undefined) return
    this.#pending.onSettle(index, this.#signals.add(index, signal))
  }

  #refusal(code: number, { leftMs }: RequestTerms): MillraceError {
    const { native, maxPendingRows } = this.#parts
    if (sheds(code)) this.#shed.count(undefined)
    const error = refused(code, { leftMs, maxPendingRows, refusal: native.refusal() })
    this.#arrivals.count()
    return error
  }
}

const longestWorkerEndMs = 1_000
