import type { IncomingHttpHeaders } from 'node:http'
import { checkNumber, checkObject } from '../check.ts'
import type { InferOptions } from '../engine/infer-options.ts'
import type { InputsOf, OutputsOf, Pipeline } from '../pipeline/pipeline.ts'
import type { AdapterTerms } from './adapter-options.ts'
import type { Connection } from './connection.ts'
import type { Connections } from './connections.ts'
import { hasDeadline, readDeadline } from './deadline-header.ts'
import { eitherSignal } from './either-signal.ts'

/** Names of the engines that an application declared, or any. */
export type EngineNames<Engines> = keyof Engines extends never ? string : keyof Engines & string

/** The pipeline that an application declared under a name. */
export type PipelineNamed<Engines, Name> = Name extends keyof Engines
  ? Engines[Name] extends Pipeline
    ? Engines[Name]
    : Pipeline
  : Pipeline

/** How one request of a route is run. */
export interface RouteInferOptions<Name extends string = string>
  extends Omit<InferOptions, 'traceHeaders'> {
  /** Name of the engine; needed where the application has several. Default: the only one. */
  readonly engine?: Name | undefined
}

const inferKeys = ['engine', 'deadlineMs', 'signal', 'priority'] as const
const { POSITIVE_INFINITY } = Number

/**
 * `request.millrace`: the engines, as one HTTP request sees them. `Engines` has the types of their pipelines by name, as
 * the application declares them.
 */
export class RequestEngines<Engines = object> {
  readonly #terms: AdapterTerms
  readonly #connection: Connection
  readonly #headers: IncomingHttpHeaders
  /** When it came; only where that matters. */
  readonly #arrivedMs: number

  /** @hidden Made by the adapters alone. */
  constructor(
    terms: AdapterTerms,
    { connection, headers }: { connection: Connection; headers: IncomingHttpHeaders },
  ) {
    this.#terms = terms
    this.#connection = connection
    this.#headers = headers
    const timed = terms.deadlineMs < POSITIVE_INFINITY || this.#hasDeadline
    this.#arrivedMs = timed ? terms.now() : 0
  }

  /** @internal Of the adapter that made it. */
  static connectionsOf<Engines>(engines: RequestEngines<Engines>): Connections {
    return engines.#terms.connections
  }

  /**
   * Runs one request of one or more rows. Ends when the client hangs up, and when the time is over that the client allowed
   * (`x-request-timeout`, `grpc-timeout`), counted from when its request came. What `options` say comes on top of that. Where
   * no span is active, `traceparent` among its headers says whose child it is.
   *
   * @throws {MillraceError} (by rejecting, never synchronously) what `Engine.infer` rejects with; MILLRACE_NOT_READY;
   * MILLRACE_INVALID_INPUT also where the client's header cannot be read; MILLRACE_INVALID_OPTION also where there is no
   * engine of the name
   */
  infer<Name extends EngineNames<Engines> = 'default' & EngineNames<Engines>>(
    inputs: InputsOf<PipelineNamed<Engines, Name>>,
    options?: RouteInferOptions<Name>,
  ): Promise<OutputsOf<PipelineNamed<Engines, Name>>> {
    try {
      const result =
        options === undefined
          ? this.#terms.engines.get(undefined).infer(inputs as never, this.#plainOptions())
          : this.#inferWith(
              inputs,
              checkObject(options, { name: 'infer options', keys: inferKeys }),
            )
      return result as Promise<OutputsOf<PipelineNamed<Engines, Name>>>
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Milliseconds left of what the client allowed; Infinity where it does not say and `deadlineMs` was not given to the
   * adapter. Negative when the time is over.
   *
   * @throws {MillraceError} MILLRACE_INVALID_INPUT where the client's header cannot be read
   */
  get leftMs(): number {
    const { deadlineMs, deadlineHeader, now } = this.#terms
    const asked =
      deadlineHeader === undefined ? undefined : readDeadline(this.#headers, deadlineHeader)
    const allowedMs = Math.min(asked ?? POSITIVE_INFINITY, deadlineMs)
    return allowedMs === POSITIVE_INFINITY ? allowedMs : this.#arrivedMs + allowedMs - now()
  }

  get #hasDeadline(): boolean {
    const { deadlineHeader } = this.#terms
    return deadlineHeader !== undefined && hasDeadline(this.#headers, deadlineHeader)
  }

  #plainOptions(): InferOptions {
    const { signal } = this.#connection
    const traceHeaders = this.#headers
    if (this.#arrivedMs === 0) return { signal, traceHeaders }
    return { signal, traceHeaders, deadlineMs: this.leftMs }
  }

  #inferWith(
    inputs: unknown,
    given: Readonly<Partial<Record<(typeof inferKeys)[number], unknown>>>,
  ): Promise<unknown> {
    const { engine, deadlineMs, signal, priority } = given as RouteInferOptions
    const served = this.#terms.engines.get(engine)
    const ends = eitherSignal(this.#connection.signal, signal)
    const askedMs = deadlineMs ?? POSITIVE_INFINITY
    if (askedMs !== POSITIVE_INFINITY) checkNumber(askedMs, { name: 'deadlineMs' })
    const result = served.infer(inputs as never, {
      signal: ends.signal,
      deadlineMs: Math.min(askedMs, this.leftMs),
      priority,
      traceHeaders: this.#headers,
    })
    if (ends.forget !== undefined) result.then(ends.forget, ends.forget)
    return result
  }
}
