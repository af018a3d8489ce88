import { checkBoolean, checkInteger, checkObject, describe } from '../check.ts'
import { Engine } from '../engine/engine.ts'
import { MillraceError } from '../errors.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import { EngineTracer } from './engine-tracer.ts'
import { loadOpenTelemetry } from './load-opentelemetry.ts'
import type { TracerProviderLike } from './tracer-provider.ts'

/** Which spans are made, and by whom. */
export interface TracingOptions {
  /** Who makes the spans. Default: the provider that is registered with `@opentelemetry/api` when a request is sent. */
  readonly tracerProvider?: TracerProviderLike | undefined
  /** Whether each batch in which a traced request ran gets a span of its own, which their spans link to. Default true. */
  readonly batchSpans?: boolean | undefined
  /**
   * Batches and waits of one request that get spans of their own, from 0 to 256; rows of a request that go through a stage
   * in one batch count once. `millrace.visits.left_out` counts the visits beyond. Default 64.
   */
  readonly maxStageSpans?: number | undefined
}

/** Makes spans until it is stopped. */
export interface Tracing {
  /** No request that comes from now on is traced; those on their way are, to their end. May be called again. */
  stop(): void
}

const keys = ['tracerProvider', 'batchSpans', 'maxStageSpans'] as const
const mostStageSpans = 256
const traced = new WeakMap<object, EngineTracer>()
// Of engines that were forgotten: nobody closes them.
const forgotten = new FinalizationRegistry<EngineTracer>((tracer) => tracer.stop())

/**
 * Makes an OpenTelemetry span of each request of the engine, with a span below it for each of its waits and batches.
 * What is active where `infer` is called is the parent; where nothing is, `traceHeaders` of the request. It ends with the
 * engine. Needs the package `@opentelemetry/api`; without an SDK, nothing is recorded.
 *
 * @throws {MillraceError} (by rejecting) MILLRACE_INVALID_OPTION, also where the engine is traced already or the package
 * is not installed.
 */
export async function traceEngine<P extends Pipeline>(
  engine: Engine<P>,
  options: TracingOptions = {},
): Promise<Tracing> {
  checkEngine(engine)
  const terms = readOptions(options)
  const api = await loadOpenTelemetry()
  const before = traced.get(engine)
  if (before?.stopped === false) {
    throw invalid('traceEngine: the engine is traced already; stop() that tracing first')
  }
  const tracer = new EngineTracer(engine, { api, ...terms })
  traced.set(engine, tracer)
  forgotten.register(engine, tracer, tracer)
  return {
    stop() {
      forgotten.unregister(tracer)
      tracer.stop()
    },
  }
}

function readOptions(options: unknown) {
  const given = checkObject(options, { name: 'tracing options', keys })
  const { tracerProvider, batchSpans = true, maxStageSpans = 64 } = given
  return {
    tracerProvider: tracerProvider === undefined ? undefined : checkProvider(tracerProvider),
    batchSpans: checkBoolean(batchSpans, { name: 'batchSpans' }),
    maxStageSpans: checkInteger(maxStageSpans, {
      name: 'maxStageSpans',
      min: 0,
      max: mostStageSpans,
    }),
  }
}

function checkProvider(value: unknown): TracerProviderLike {
  const { getTracer } = (value ?? {}) as Partial<TracerProviderLike>
  if (typeof getTracer === 'function') return value as TracerProviderLike
  throw invalid(
    `tracerProvider: expected one with getTracer(), got ${describe(value)}; give that of your SDK, or none`,
  )
}

function checkEngine(engine: unknown): void {
  if (engine instanceof Engine) return
  throw invalid(
    `traceEngine: expected an Engine, got ${describe(engine)}; give what Engine.start() returned`,
  )
}

function invalid(message: string): MillraceError {
  return new MillraceError({ code: 'MILLRACE_INVALID_OPTION', message })
}
