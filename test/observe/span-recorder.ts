// A real SDK that keeps its spans in memory and counts those that were started and never ended.
import { type Context, context, propagation, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  type Sampler,
  SimpleSpanProcessor,
  type SpanProcessor,
} from '@opentelemetry/sdk-trace-base'

class OpenSpans implements SpanProcessor {
  count = 0
  onStart(_span: unknown, _parent: Context): void {
    this.count++
  }
  onEnd(): void {
    this.count--
  }
  async shutdown(): Promise<void> {}
  async forceFlush(): Promise<void> {}
}

export class SpanRecorder {
  readonly #exporter = new InMemorySpanExporter()
  readonly #open = new OpenSpans()
  readonly provider: BasicTracerProvider

  constructor({ sampler }: { sampler?: Sampler } = {}) {
    this.provider = new BasicTracerProvider({
      ...(sampler && { sampler }),
      spanProcessors: [new SimpleSpanProcessor(this.#exporter), this.#open],
    })
  }

  /** Started and not ended. */
  get open(): number {
    return this.#open.count
  }

  get spans(): ReadableSpan[] {
    return this.#exporter.getFinishedSpans()
  }

  reset(): void {
    this.#exporter.reset()
  }

  /** Those whose name begins so. */
  named(start: string): ReadableSpan[] {
    return this.spans.filter(({ name }) => name.startsWith(start))
  }

  one(start: string): ReadableSpan {
    const [span, ...others] = this.named(start)
    if (span === undefined || others.length > 0) {
      throw new Error(`${start}: ${this.spans.map(({ name }) => name).join(', ')}`)
    }
    return span
  }

  childrenOf(parent: ReadableSpan): ReadableSpan[] {
    const { spanId } = parent.spanContext()
    return this.spans.filter(({ parentSpanContext }) => parentSpanContext?.spanId === spanId)
  }
}

/** Has asynchronous calls keep what is active, until the function returned is called. */
export function keepContext(): () => void {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  return () => {
    context.disable()
    propagation.disable()
    trace.disable()
  }
}

/** Nanoseconds since the epoch. */
export function nanosOf([seconds, nanoseconds]: readonly [number, number]): bigint {
  return BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds)
}

export function startOf(span: ReadableSpan): bigint {
  return nanosOf(span.startTime)
}

export function endOf(span: ReadableSpan): bigint {
  return nanosOf(span.endTime)
}
