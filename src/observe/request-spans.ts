import type { Attributes, Context, Link, Span, Tracer } from '@opentelemetry/api'
import type { InferMessage } from '../engine/infer-channel.ts'
import type { VisitBatch } from '../engine/visits.ts'
import { MillraceError } from '../errors.ts'
import { BatchSpans } from './batch-spans.ts'
import { addNanos, addTimes, type HrTime } from './epoch-clock.ts'
import type { OpenTelemetry } from './load-opentelemetry.ts'
import { groupVisits, type VisitGroup } from './stage-visits.ts'

/** A request that was answered, and its span, which is not ended yet. */
export interface EndedRequest {
  readonly message: InferMessage
  readonly span: Span
  /** In which the span is active. */
  readonly context: Context
  /** From the monotonic clock to the time of day. */
  readonly offset: HrTime
  readonly endedAt: HrTime
}

interface ToldRequest extends EndedRequest {
  readonly groups: readonly VisitGroup[]
  readonly leftOut: number
  /** The time of day of a moment of its visits; at the end for those that had not ended. */
  readonly at: (ns: number | undefined) => HrTime
}

/** Makes the spans below requests, and ends them all. */
export class RequestSpans {
  readonly #api: OpenTelemetry
  readonly #tracer: Tracer
  readonly #maxStageSpans: number
  readonly #batches: BatchSpans | undefined

  constructor(terms: {
    readonly api: OpenTelemetry
    readonly tracer: Tracer
    readonly batchSpans: boolean
    readonly maxStageSpans: number
  }) {
    this.#api = terms.api
    this.#tracer = terms.tracer
    this.#maxStageSpans = terms.maxStageSpans
    this.#batches = terms.batchSpans ? new BatchSpans(terms.tracer) : undefined
  }

  /** Of requests that were answered at the same time. Every span is ended, whatever is thrown. */
  end(requests: readonly EndedRequest[]): void {
    try {
      const told = requests.map((request) => this.#told(request))
      this.#startBatches(told)
      for (const request of told) this.#addStages(request)
    } finally {
      for (const request of requests) this.#endRequest(request)
    }
  }

  #told(request: EndedRequest): ToldRequest {
    const { message, offset, endedAt } = request
    const visits = message.visits
    if (visits === undefined) return { ...request, groups: [], leftOut: 0, at: () => endedAt }
    const submittedAt = addTimes([...visits.submittedAt], offset)
    const lastNs = visits.settledNs
    const end = lastNs === undefined ? endedAt : addNanos(submittedAt, lastNs)
    const { groups, leftOut } = groupVisits(visits.visits, this.#maxStageSpans)
    const at = (ns: number | undefined) => (ns === undefined ? end : addNanos(submittedAt, ns))
    return { ...request, groups, leftOut: leftOut + visits.leftOut, at }
  }

  #startBatches(requests: readonly ToldRequest[]): void {
    if (this.#batches === undefined) return
    for (const { message, span, context, groups, at } of requests) {
      for (const { stage, batch, endedNs } of groups) {
        if (batch === undefined) continue
        const attributes = { ...stageAttributes(message, stage), ...batchAttributes(batch) }
        const times = { startTime: at(batch.beganNs), endTime: at(endedNs) }
        this.#batches.add(batch.id, { stage, span, context, attributes, ...times })
      }
    }
    this.#batches.end()
  }

  #addStages({ message, span, context, groups, leftOut, at }: ToldRequest): void {
    for (const group of groups) {
      const { stage, state, rows, queuedNs, beganNs, endedNs, batch, attempts } = group
      const attributes = { ...stageAttributes(message, stage), 'millrace.rows': rows }
      const ending = { ...attributes, 'millrace.stage.outcome': state }
      const isCached = state === 'hit' || state === 'shared'
      const hasRun = beganNs !== undefined
      this.#addSpan(`${isCached ? 'cache' : 'queue'} ${stage}`, {
        context,
        times: [at(queuedNs), at(beganNs ?? endedNs)],
        attributes: hasRun ? attributes : ending,
        failed: !hasRun && !isCached,
      })
      if (!hasRun) continue
      this.#addSpan(`run ${stage}`, {
        context,
        times: [at(beganNs), at(endedNs)],
        attributes: {
          ...ending,
          ...(batch && batchAttributes(batch)),
          ...(attempts > 1 && { 'millrace.attempts': attempts }),
        },
        links: batch && this.#batches?.linksTo(batch.id),
        failed: state !== 'ran',
      })
    }
    if (leftOut > 0) span.setAttribute('millrace.visits.left_out', leftOut)
  }

  #addSpan(
    name: string,
    given: {
      readonly context: Context
      readonly times: readonly [start: HrTime, end: HrTime]
      readonly attributes: Attributes
      readonly links?: Link[] | undefined
      readonly failed: boolean
    },
  ): void {
    const { context, attributes, links = [] } = given
    const [startTime, endTime] = given.times
    const span = this.#tracer.startSpan(name, { startTime, attributes, links }, context)
    if (given.failed) span.setStatus({ code: this.#api.SpanStatusCode.ERROR })
    span.end(endTime)
  }

  #endRequest({ message, span, endedAt }: EndedRequest): void {
    const { visits, error } = message
    if (visits !== undefined) span.setAttribute('millrace.rows', visits.rows)
    if ('error' in message) this.#addError(span, error)
    span.setAttribute('millrace.outcome', 'error' in message ? errorType(error) : 'completed')
    span.end(endedAt)
  }

  #addError(span: Span, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error)
    span.setAttribute('error.type', errorType(error))
    if (MillraceError.is(error) && error.stage !== undefined) {
      span.setAttribute('millrace.stage', error.stage)
    }
    span.recordException(error instanceof Error ? error : message)
    span.setStatus({ code: this.#api.SpanStatusCode.ERROR, message })
  }
}

function errorType(error: unknown): string {
  return MillraceError.is(error) ? error.code : '_OTHER'
}

function stageAttributes(message: InferMessage, stage: string): Attributes {
  return { 'millrace.pipeline': message.pipeline, 'millrace.stage': stage }
}

function batchAttributes({ id, rows, replica, threads }: VisitBatch): Attributes {
  return {
    'millrace.batch.id': id,
    'millrace.batch.size': rows,
    'millrace.replica': replica,
    'millrace.tier': `cpu-${threads}`,
  }
}
