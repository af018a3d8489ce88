import type { Attributes, Context, Link, Span, SpanContext, Tracer } from '@opentelemetry/api'
import type { HrTime } from './epoch-clock.ts'

/** A batch, as one of the requests tells of it that ran in it. */
interface ToldBatch {
  readonly stage: string
  /** The request's, and where it is active. */
  readonly span: Span
  readonly context: Context
  readonly attributes: Attributes
  readonly startTime: HrTime
  readonly endTime: HrTime
}

const mostRemembered = 1024

/**
 * One span a batch, linked to the requests that ran in it. It lies below the first request that tells of it: a span of
 * its own trace would be sampled by a choice of its own, and most links would lead nowhere. The requests answered
 * together with the first are linked from it; later ones, which still had stages to go through, only link to it.
 */
export class BatchSpans {
  readonly #tracer: Tracer
  /** Of the latest batches, by their ids: the oldest goes first. */
  readonly #known = new Map<number, SpanContext>()
  readonly #told = new Map<number, ToldBatch[]>()

  constructor(tracer: Tracer) {
    this.#tracer = tracer
  }

  add(id: number, batch: ToldBatch): void {
    if (this.#known.has(id)) return
    const told = this.#told.get(id)
    if (told === undefined) this.#told.set(id, [batch])
    else if (told.every(({ span }) => span !== batch.span)) told.push(batch)
  }

  /** Makes the spans of the batches that were added. */
  end(): void {
    for (const [id, told] of this.#told) {
      const [{ stage, context, attributes, startTime, endTime }] = told as [ToldBatch]
      const links = told.map(({ span }) => ({ context: span.spanContext() }))
      const given = { startTime, attributes, links }
      const span = this.#tracer.startSpan(`batch ${stage}`, given, context)
      span.end(endTime)
      if (isSampled(span)) this.#remember(id, span.spanContext())
    }
    this.#told.clear()
  }

  linksTo(id: number): Link[] | undefined {
    const context = this.#known.get(id)
    return context && [{ context }]
  }

  #remember(id: number, context: SpanContext): void {
    this.#known.set(id, context)
    if (this.#known.size <= mostRemembered) return
    const [oldest] = this.#known.keys()
    if (oldest !== undefined) this.#known.delete(oldest)
  }
}

function isSampled(span: Span): boolean {
  return (span.spanContext().traceFlags & 1) === 1
}
