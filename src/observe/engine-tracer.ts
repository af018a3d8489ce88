import diagnostics from 'node:diagnostics_channel'
import type { Context, Span, Tracer } from '@opentelemetry/api'
import { type InferMessage, inferChannel } from '../engine/infer-channel.ts'
import { addTimes, EpochClock, type HrTime } from './epoch-clock.ts'
import type { OpenTelemetry } from './load-opentelemetry.ts'
import { type EndedRequest, RequestSpans } from './request-spans.ts'
import type { TracerProviderLike } from './tracer-provider.ts'

interface TracerTerms {
  readonly api: OpenTelemetry
  readonly tracerProvider: TracerProviderLike | undefined
  readonly batchSpans: boolean
  readonly maxStageSpans: number
}

interface OpenRequest {
  readonly span: Span
  readonly context: Context
  readonly offset: HrTime
}

/** What an engine publishes, as spans. Holds the engine only while a request is on its way. */
export class EngineTracer {
  readonly #engine: WeakRef<object>
  readonly #api: OpenTelemetry
  readonly #tracer: Tracer
  readonly #spans: RequestSpans
  readonly #clock = new EpochClock()
  readonly #open = new Map<InferMessage, OpenRequest>()
  #ended: EndedRequest[] = []
  #stopped = false

  constructor(engine: object, { api, tracerProvider = api.trace, ...terms }: TracerTerms) {
    this.#engine = new WeakRef(engine)
    this.#api = api
    this.#tracer = tracerProvider.getTracer('millrace') as Tracer
    this.#spans = new RequestSpans({ api, tracer: this.#tracer, ...terms })
    inferChannel.start.subscribe(this.#start)
    inferChannel.asyncEnd.subscribe(this.#end)
    diagnostics.subscribe('millrace:close', this.#close)
  }

  get stopped(): boolean {
    return this.#stopped
  }

  stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    inferChannel.start.unsubscribe(this.#start)
    diagnostics.unsubscribe('millrace:close', this.#close)
    this.#leave()
  }

  /** Not before the last request has ended. */
  #leave(): void {
    if (this.#stopped && this.#open.size === 0) inferChannel.asyncEnd.unsubscribe(this.#end)
  }

  readonly #close = (message: unknown): void => {
    if ((message as { engine: object }).engine === this.#engine.deref()) this.stop()
  }

  readonly #start = (published: unknown): void => {
    const message = published as InferMessage
    if (message.engine !== this.#engine.deref()) return
    const offset = this.#clock.resync()
    const { priority = 'normal', deadlineMs } = message.options ?? {}
    const parent = this.#parentOf(message)
    const span = this.#tracer.startSpan(
      `infer ${message.pipeline}`,
      {
        startTime: addTimes(process.hrtime(), offset),
        attributes: {
          'millrace.pipeline': message.pipeline,
          'millrace.priority': priority,
          ...(deadlineMs !== undefined && { 'millrace.deadline_ms': deadlineMs }),
        },
      },
      parent,
    )
    if (!span.isRecording()) {
      span.end()
      return
    }
    message.recordVisits = true
    const context = this.#api.trace.setSpan(parent, span)
    this.#open.set(message, { span, context, offset })
  }

  /** What is active, or what the headers say where nothing is: a server that is traced has read them itself. */
  #parentOf({ options }: InferMessage): Context {
    const { context, propagation, trace } = this.#api
    const active = context.active()
    const headers: unknown = options?.traceHeaders
    if (typeof headers !== 'object' || headers === null || trace.getSpan(active)) return active
    return propagation.extract(active, headers)
  }

  readonly #end = (published: unknown): void => {
    const message = published as InferMessage
    const request = this.#open.get(message)
    if (request === undefined) return
    this.#open.delete(message)
    this.#leave()
    this.#ended.push({ ...request, message, endedAt: addTimes(process.hrtime(), request.offset) })
    // Those that are answered together are told of together, before any of their callers goes on.
    if (this.#ended.length === 1) queueMicrotask(this.#flush)
  }

  readonly #flush = (): void => {
    const ended = this.#ended
    this.#ended = []
    this.#spans.end(ended)
  }
}
