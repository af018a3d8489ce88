import { context, propagation, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api'
import { AlwaysOffSampler } from '@opentelemetry/sdk-trace-base'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  definePipeline,
  Engine,
  onnx,
  type Pipeline,
  type Tracing,
  traceEngine,
} from '../../src/index.ts'
import { inlineOf, jsOf, numbers } from '../engine/functions.ts'
import { expectedOf, itemsPipeline } from '../engine/items.ts'
import { cascade, digitsModel, imagesOf, readDigits } from '../engine/pipelines.ts'
import { rejectionOf } from '../engine/rejection.ts'
import { endOf, keepContext, SpanRecorder, startOf } from './span-recorder.ts'

const digits = readDigits()
/** Waits until the test lets it go. */
function held() {
  let release = () => {}
  const gate = new Promise<void>((resolve) => {
    release = resolve
  })
  let running = 0
  const pipeline = inlineOf(async ({ x }) => {
    running++
    await gate
    return { y: x.data }
  })
  return { pipeline, release, running: () => running }
}

/** A digit of which the fast model is unsure, so that both run. */
let unsure = { image: new Float32Array(64) }
let stopKeeping = () => {}
beforeAll(async () => {
  stopKeeping = keepContext()
  const fast = onnx(digitsModel('fast'), { inputs: { image: 'request.image' } })
  const alone = definePipeline({ stages: { fast }, outputs: { confidence: 'fast.confidence' } })
  const engine = await Engine.start(alone)
  const { data } = (await engine.infer(imagesOf(digits))).confidence
  const image = digits.find((_, row) => Number(data[row]) < 0.8)?.pixels
  await engine.close()
  if (image !== undefined) unsure = { image: Float32Array.from(image) }
})
afterAll(() => stopKeeping())

let recorder = new SpanRecorder()
beforeEach(() => {
  recorder = new SpanRecorder()
})
// Whatever a test did: every span that was started has ended.
afterEach(() => expect(recorder.open).toBe(0))

async function traced<P extends Pipeline, Result>(
  pipeline: P,
  use: (engine: Engine<P>, tracing: Tracing) => Promise<Result>,
  options: {
    configuration?: object
    maxPendingRows?: number
    maxStageSpans?: number
    batchSpans?: boolean
  } = {},
): Promise<Result> {
  const { maxStageSpans, batchSpans, ...start } = options
  const engine = await Engine.start(pipeline, start)
  const tracing = await traceEngine(engine, {
    tracerProvider: recorder.provider,
    maxStageSpans,
    batchSpans,
  })
  try {
    return await use(engine, tracing)
  } finally {
    await engine.close()
  }
}

describe('a traced engine', () => {
  it('makes a span of a request, with its wait and its batch at each stage below it', async () => {
    await traced(cascade, (engine) => engine.infer(unsure))
    const request = recorder.one('infer')
    expect(request.name).toBe('infer digits')
    expect(request.parentSpanContext).toBeUndefined()
    expect(request.attributes).toEqual({
      'millrace.pipeline': 'digits',
      'millrace.priority': 'normal',
      'millrace.rows': 1,
      'millrace.outcome': 'completed',
    })
    const below = recorder.childrenOf(request).map(({ name }) => name)
    const stages = ['queue fast', 'run fast', 'queue accurate', 'run accurate']
    expect(below.filter((name) => !name.startsWith('batch'))).toEqual(stages)
    expect(recorder.one('run fast').attributes).toEqual({
      'millrace.pipeline': 'digits',
      'millrace.stage': 'fast',
      'millrace.rows': 1,
      'millrace.stage.outcome': 'ran',
      'millrace.batch.id': expect.any(Number),
      'millrace.batch.size': 1,
      'millrace.replica': expect.any(Number),
      'millrace.tier': 'cpu-1',
    })
  })

  it('has what came first end before the next begins, all within the request and at the time of day', async () => {
    const beforeMs = Date.now()
    await traced(cascade, (engine) => engine.infer(unsure))
    const request = recorder.one('infer')
    const inOrder = ['queue fast', 'run fast', 'queue accurate', 'run accurate'].map((name) =>
      recorder.one(name),
    )
    const moments = inOrder.flatMap((span) => [startOf(span), endOf(span)])
    const all = [startOf(request), ...moments, endOf(request)]
    expect(all).toEqual(all.toSorted((one, other) => (one < other ? -1 : 1)))
    expect(endOf(recorder.one('queue fast'))).toBe(startOf(recorder.one('run fast')))
    expect(Number(startOf(request) / 1_000_000n)).toBeGreaterThanOrEqual(beforeMs - 6)
    expect(Number(endOf(request) / 1_000_000n)).toBeLessThanOrEqual(Date.now() + 6)
  })

  it('has spans of no stage that was skipped', async () => {
    await traced(cascade, async (engine) => {
      for (const digit of digits.slice(0, 8)) await engine.infer(imagesOf([digit]))
    })
    expect(recorder.named('run fast')).toHaveLength(8)
    expect(recorder.named('run accurate').length).toBeLessThan(8)
  })

  it('has the active span for parent', async () => {
    const tracer = recorder.provider.getTracer('test')
    await traced(cascade, (engine) =>
      tracer.startActiveSpan('route', async (span) => {
        await Promise.resolve()
        await engine.infer(
          { image: new Float32Array(64) },
          {
            traceHeaders: { traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01` },
          },
        )
        expect(trace.getSpan(context.active())).toBe(span)
        span.end()
      }),
    )
    const [route, request] = [recorder.one('route'), recorder.one('infer')]
    expect(request.parentSpanContext?.spanId).toBe(route.spanContext().spanId)
    expect(recorder.spans.map((span) => span.spanContext().traceId)).toEqual(
      recorder.spans.map(() => route.spanContext().traceId),
    )
  })

  it('is asked for visits of those requests only that the sampler takes', async () => {
    recorder = new SpanRecorder({ sampler: new AlwaysOffSampler() })
    await traced(cascade, (engine) => engine.infer({ image: new Float32Array(64) }))
    expect(recorder.spans).toEqual([])
  })

  it('links requests that ran together to the span of their batch, and it to them', async () => {
    const configuration = { work: { replicas: 0, maxBatch: 8 } }
    await traced(
      inlineOf(({ x }) => ({ y: x.data })),
      async (engine) => {
        const answers = [engine.infer(numbers(1)), engine.infer(numbers(2, 3))]
        await engine.scale('work', 1)
        await Promise.all(answers)
      },
      { configuration },
    )
    const batch = recorder.one('batch work')
    expect(batch.attributes['millrace.batch.size']).toBe(3)
    const requests = recorder.named('infer')
    expect(requests.map(({ attributes }) => attributes['millrace.rows'])).toEqual([1, 2])
    const linked = batch.links.map((link) => link.context.spanId)
    expect(linked).toEqual(requests.map((request) => request.spanContext().spanId))
    for (const run of recorder.named('run work')) {
      expect(run.links.map((link) => link.context.spanId)).toEqual([batch.spanContext().spanId])
      expect([startOf(run), endOf(run)]).toEqual([startOf(batch), endOf(batch)])
    }
    expect(batch.parentSpanContext?.spanId).toBe(requests[0]?.spanContext().spanId)
  })

  it('makes no spans of batches where it is told so', async () => {
    await traced(cascade, (engine) => engine.infer({ image: new Float32Array(64) }), {
      batchSpans: false,
    })
    expect(recorder.named('batch')).toEqual([])
    expect(recorder.one('run fast').links).toEqual([])
  })

  it('makes one span of rows that go together, and counts what it leaves out', async () => {
    const rows = [3, 0, 5]
    const configuration = { work: { maxBatch: 2, replicas: 1 } }
    await traced(
      itemsPipeline('inline row', 'inline batched'),
      async (engine) => expect(await engine.infer(numbers(...rows))).toEqual(expectedOf(...rows)),
      { configuration, maxStageSpans: 3 },
    )
    const request = recorder.one('infer')
    expect(recorder.named('run').length).toBeLessThanOrEqual(3)
    const shown = recorder
      .named('run')
      .reduce((sum, { attributes }) => sum + Number(attributes['millrace.rows']), 0)
    // 3 rows are split, 8 items are worked on, 3 rows are joined.
    expect(shown + Number(request.attributes['millrace.visits.left_out'])).toBe(14)
  })

  it('says what a cache answered', async () => {
    await traced(itemsPipeline('inline batched', 'inline cached'), async (engine) => {
      await engine.infer(numbers(2))
      recorder.reset()
      await engine.infer(numbers(2))
    })
    const cached = recorder.one('cache work')
    expect(cached.attributes).toMatchObject({ 'millrace.stage.outcome': 'hit', 'millrace.rows': 2 })
    expect(cached.status.code).toBe(SpanStatusCode.UNSET)
    expect(recorder.named('run work')).toEqual([])
  })
})

describe('the span of a request that is not answered', () => {
  it('says which stage failed, and why', async () => {
    const failing = inlineOf(() => {
      throw new Error('no luck')
    })
    const error = await traced(failing, (engine) => rejectionOf(engine.infer(numbers(1))))
    const request = recorder.one('infer')
    expect(request.status).toEqual({
      code: SpanStatusCode.ERROR,
      message: (error as Error).message,
    })
    expect(request.attributes).toMatchObject({
      'error.type': 'MILLRACE_STAGE_FAILED',
      'millrace.outcome': 'MILLRACE_STAGE_FAILED',
      'millrace.stage': 'work',
    })
    expect(request.events.map(({ name }) => name)).toEqual(['exception'])
    const run = recorder.one('run work')
    expect(run.status.code).toBe(SpanStatusCode.ERROR)
    expect(run.attributes['millrace.stage.outcome']).toBe('failed')
  })

  it('ends where its inputs or its options are wrong', async () => {
    await traced(cascade, async (engine) => {
      await rejectionOf(engine.infer({ image: 'none' } as never))
      await rejectionOf(
        engine.infer({ image: new Float32Array(64) }, { deadlineMs: 'soon' } as never),
      )
    })
    const codes = recorder.named('infer').map(({ attributes }) => attributes['error.type'])
    expect(codes).toEqual(['MILLRACE_INVALID_INPUT', 'MILLRACE_INVALID_OPTION'])
    expect(recorder.spans).toHaveLength(2)
  })

  it('shows where it waited when it was cancelled', async () => {
    const abort = new AbortController()
    const configuration = { fast: { replicas: 0 } }
    await traced(
      cascade,
      async (engine) => {
        const answer = rejectionOf(
          engine.infer({ image: new Float32Array(64) }, { signal: abort.signal }),
        )
        abort.abort()
        await answer
      },
      { configuration },
    )
    const queue = recorder.one('queue fast')
    expect(queue.attributes['millrace.stage.outcome']).toBe('waiting')
    expect(queue.status.code).toBe(SpanStatusCode.ERROR)
    const request = recorder.one('infer')
    expect(request.attributes['error.type']).toBe('MILLRACE_CANCELLED')
    expect(endOf(queue)).toBe(endOf(request))
  })

  it('shows where it ran when it was cancelled', async () => {
    const abort = new AbortController()
    const { pipeline, release, running } = held()
    await traced(pipeline, async (engine) => {
      const answer = rejectionOf(engine.infer(numbers(1), { signal: abort.signal }))
      await expect.poll(running).toBe(1)
      abort.abort()
      await answer
      release()
    })
    expect(recorder.one('run work').attributes['millrace.stage.outcome']).toBe('running')
  })

  it('ends when its deadline passes', async () => {
    await traced(
      cascade,
      (engine) => rejectionOf(engine.infer({ image: new Float32Array(64) }, { deadlineMs: 5 })),
      { configuration: { fast: { replicas: 0 } } },
    )
    const request = recorder.one('infer')
    expect(request.attributes['error.type']).toBe('MILLRACE_DEADLINE_EXCEEDED')
    expect(request.attributes['millrace.deadline_ms']).toBe(5)
    expect(recorder.one('queue fast').attributes['millrace.stage.outcome']).toBe('waiting')
  })

  it('ends when there is no room', async () => {
    await traced(
      cascade,
      async (engine) => {
        const first = rejectionOf(engine.infer(imagesOf(digits.slice(0, 4))))
        await rejectionOf(engine.infer({ image: new Float32Array(64) }))
        await engine.close({ timeoutMs: 0 })
        await first
      },
      { configuration: { fast: { replicas: 0 } }, maxPendingRows: 4 },
    )
    const types = recorder.named('infer').map(({ attributes }) => attributes['error.type'])
    expect(types.toSorted()).toEqual(['MILLRACE_CLOSED', 'MILLRACE_QUEUE_FULL'])
  })

  it('ends with the engine', async () => {
    const { pipeline, release, running } = held()
    const engine = await Engine.start(pipeline)
    await traceEngine(engine, { tracerProvider: recorder.provider })
    const answer = rejectionOf(engine.infer(numbers(1)))
    await expect.poll(running).toBe(1)
    expect(recorder.open).toBe(1)
    await engine.close({ timeoutMs: 0 })
    await answer
    expect(recorder.one('infer').attributes['error.type']).toBe('MILLRACE_CLOSED')
    await rejectionOf(engine.infer(numbers(1)))
    expect(recorder.named('infer')).toHaveLength(1)
    release()
  })
})

describe('a parent from elsewhere', () => {
  afterEach(() => propagation.disable())

  it('is read from the headers where no span is active', async () => {
    propagation.setGlobalPropagator(new TraceParent())
    const traceHeaders = { traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01` }
    await traced(cascade, (engine) =>
      engine.infer({ image: new Float32Array(64) }, { traceHeaders }),
    )
    const request = recorder.one('infer')
    expect(request.spanContext().traceId).toBe('a'.repeat(32))
    expect(request.parentSpanContext).toMatchObject({ spanId: 'b'.repeat(16), isRemote: true })
  })
})

describe('functions in worker threads', () => {
  it('are traced as any other stage', async () => {
    await traced(jsOf('doubleLater'), (engine) => engine.infer(numbers(1, 2)))
    expect(recorder.named('run work').length).toBeGreaterThan(0)
    expect(recorder.one('infer').attributes['millrace.outcome']).toBe('completed')
  })
})

describe('traceEngine', () => {
  it('records nothing where there is no SDK', async () => {
    const engine = await Engine.start(cascade)
    const tracing = await traceEngine(engine)
    expect((await engine.infer({ image: new Float32Array(64) })).label.data).toHaveLength(1)
    tracing.stop()
    await engine.close()
  })

  it('leaves other engines alone', async () => {
    const other = await Engine.start(cascade)
    await traced(cascade, async () => other.infer({ image: new Float32Array(64) }))
    expect(recorder.spans).toEqual([])
    await other.close()
  })

  it('ends what is on its way when it is stopped, and begins nothing more', async () => {
    const { pipeline, release, running } = held()
    await traced(pipeline, async (engine, tracing) => {
      const answer = engine.infer(numbers(1))
      await expect.poll(running).toBe(1)
      tracing.stop()
      tracing.stop()
      release()
      await answer
      expect(recorder.named('infer')).toHaveLength(1)
      await engine.infer(numbers(1))
      expect(recorder.named('infer')).toHaveLength(1)
      const again = await traceEngine(engine, { tracerProvider: recorder.provider })
      await engine.infer(numbers(1))
      expect(recorder.named('infer')).toHaveLength(2)
      again.stop()
    })
  })

  it('refuses what it cannot trace', async () => {
    const engine = await Engine.start(cascade)
    const refusals = [
      traceEngine({} as never),
      traceEngine(engine, { tracerProvider: {} as never }),
      traceEngine(engine, { maxStageSpans: -1 }),
      traceEngine(engine, { name: 'x' } as never),
    ]
    for (const refusal of refusals) {
      expect(await rejectionOf(refusal)).toMatchObject({ code: 'MILLRACE_INVALID_OPTION' })
    }
    const tracing = await traceEngine(engine)
    expect(await rejectionOf(traceEngine(engine))).toMatchObject({
      message: /traced already/ as never,
    })
    tracing.stop()
    await engine.close()
  })
})

/** As the W3C propagator of the SDK, which is in a package of its own. */
class TraceParent {
  inject(): void {}
  fields(): string[] {
    return ['traceparent']
  }
  extract(
    parent: ReturnType<typeof context.active>,
    carrier: { traceparent?: string },
  ): ReturnType<typeof context.active> {
    const [, traceId = '', spanId = ''] = carrier.traceparent?.split('-') ?? []
    const remote = { traceId, spanId, traceFlags: TraceFlags.SAMPLED, isRemote: true }
    return trace.setSpanContext(parent, remote)
  }
}
